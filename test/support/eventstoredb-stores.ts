import type { EventStore } from '../../src/event-store/event-store.ts'
import { type EventStoreDBOptions, openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import type { OpenedStore } from '../event-store/conformance.ts'
import { type EventStoreDB, startEventStoreDB } from './eventstoredb/server.ts'

/** Impatient, so that tests of what goes wrong take no longer than they must. */
export const impatient: NonNullable<EventStoreDBOptions['timing']> = {
  attemptMs: 100,
  longestAttemptMs: 200,
  backoffMs: 5,
  longestBackoffMs: 50,
  silenceMs: 150,
  liveSilenceMs: 300,
}

/** A wire-level server of its own, with a store on it; each store is what `seenAs` makes of it. */
export async function openOnWireLevelServer(
  seenAs: (store: EventStore) => EventStore = store => store,
): Promise<OpenedStore & { server: EventStoreDB }> {
  const server = await startEventStoreDB()
  const opened: EventStore[] = []
  const open = async () => {
    const store = seenAs(await openEventStoreDB({ url: server.url }))
    opened.push(store)
    return store
  }
  const closeAll = () => Promise.all(opened.splice(0).map(store => store.close()))
  return {
    server,
    store: await open(),
    openAnother: open,
    async reopen() {
      await closeAll()
      return open()
    },
    async close() {
      await closeAll()
      await server.stop()
    },
  }
}
