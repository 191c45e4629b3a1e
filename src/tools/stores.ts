import type { Config } from '../config.ts'
import type { JsonObject } from '../event-store/event-store.ts'
import { type LogIdentity, readIdentity } from '../event-store/log-identity.ts'
import type { WholeEventStore } from '../event-store/log-transfer.ts'
import { openExistingEventStore, openReadStore, withStore } from '../open-stores.ts'
import type { ProjectorLog } from '../projector/parking.ts'
import type { Projection } from '../projector/projection.ts'
import type { ReadStore } from '../read-store/read-store.ts'
import { EmptyLog } from './export-log.ts'
import { exitCodes, type Shell, ToolFailure } from './shell.ts'

export type Stores = {
  config: Config
  eventStore: WholeEventStore
  readStore: ReadStore
  identity: LogIdentity
}

/** Runs `use` with the log, which must have events, and the read store; closes both. Throws EmptyLog. */
export async function withStores<T>(shell: Shell, use: (stores: Stores) => Promise<T>): Promise<T> {
  const config = shell.config()
  return withStore(openExistingEventStore(config), async eventStore => {
    const identity = await readIdentity(eventStore)
    if (!identity) throw new EmptyLog('expected a log with events, found an empty one')
    const readStore = await openReadStore(config)
    try {
      return await use({ config, eventStore, readStore, identity })
    } finally {
      await readStore.close()
    }
  })
}

/** The projections of these names, all if there is none. Throws ToolFailure. */
export async function chosenProjections(
  names: readonly string[],
): Promise<readonly Projection<JsonObject>[]> {
  // Whoever asks for help or exports a log need not wait until the whole service is loaded.
  const { projections } = await import('../roster.ts')
  const unknown = names.find(name => !projections.some(each => each.name === name))
  if (unknown !== undefined) {
    const known = projections.map(({ name }) => name).join(', ')
    throw new ToolFailure(exitCodes.wrongUse, `expected names out of ${known}, found ${unknown}`)
  }
  return names.length === 0 ? projections : projections.filter(({ name }) => names.includes(name))
}

/** What a worker has to say, on stderr, without what it does every day. */
export function workerLog(shell: Shell): ProjectorLog {
  // An error by itself would become {}.
  const plain = (_name: string, value: unknown) => (value instanceof Error ? value.message : value)
  const tell = (fields: object, message: string) => shell.note(`${message} ${JSON.stringify(fields, plain)}`)
  return { info() {}, warn: tell, error: tell }
}
