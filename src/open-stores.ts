import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { type EventStore, StoreUnavailable } from './event-store/event-store.ts'
import type { EventStoreDBOptions } from './event-store/eventstoredb.ts'
import type { WholeEventStore } from './event-store/log-transfer.ts'
import { wholeWithStreamPrefix } from './event-store/prefixed.ts'
import { openSqliteEventStore } from './event-store/sqlite.ts'
import type { ReadStore } from './read-store/read-store.ts'
import { openSqliteReadStore } from './read-store/sqlite.ts'

export type Warn = { warn(fields: object, message: string): void }
type StoreConfig = Pick<Config, 'dataDir' | 'eventstoreUrl' | 'streamPrefix'>

/** The files of the embedded stores in a data directory. */
export const eventsFile = (dataDir: string): string => join(dataDir, 'events.db')
export const readFile = (dataDir: string): string => join(dataDir, 'read.db')

/**
 * The event log that the environment tells of: EventStoreDB if it has an address, else SQLite in DATA_DIR.
 * `appendRetried` is told of each append that is sent again.
 */
export async function openEventStore(
  config: StoreConfig,
  log?: Warn,
  appendRetried: () => void = () => {},
): Promise<WholeEventStore> {
  const { eventstoreUrl: url, dataDir, streamPrefix } = config
  const store =
    url === null
      ? await openSqliteEventStore({ file: eventsFile(dataDir) })
      : await openServer({ url, appendRetried, ...(log ? { log } : {}) })
  return wholeWithStreamPrefix(store, streamPrefix)
}

/** Loaded only where it is used, as MongoDB's driver is: each takes some 20 MB of memory. */
async function openServer(options: EventStoreDBOptions): Promise<WholeEventStore> {
  const { openEventStoreDB } = await import('./event-store/eventstoredb.ts')
  return openEventStoreDB(options)
}

/** The read store that the environment tells of: MongoDB if it has an address, else SQLite in DATA_DIR. */
export async function openReadStore(
  { dataDir, mongodbUrl: url, streamPrefix: prefix }: Pick<Config, 'dataDir' | 'mongodbUrl' | 'streamPrefix'>,
  log?: Warn,
): Promise<ReadStore> {
  if (url === null) return openSqliteReadStore(readFile(dataDir))
  const { openMongodbReadStore } = await import('./read-store/mongodb.ts')
  return openMongodbReadStore({ url, prefix, ...(log ? { log } : {}) })
}

/** Like `openEventStore`, for a log that must be there. Throws StoreUnavailable where there is none, and makes none. */
export async function openExistingEventStore(config: StoreConfig, log?: Warn): Promise<WholeEventStore> {
  if (config.eventstoreUrl === null) {
    const file = eventsFile(config.dataDir)
    await access(file).catch(cause => {
      throw new StoreUnavailable(`expected a log in ${file}, found none: is DATA_DIR right?`, { cause })
    })
  }
  return openEventStore(config, log)
}

/** Runs `use` with the store, and closes it whatever happened. */
export async function withStore<Store extends EventStore, T>(
  opening: Promise<Store>,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await opening
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
