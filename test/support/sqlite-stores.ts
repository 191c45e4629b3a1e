import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import type { OpenedStore } from '../event-store/conformance.ts'

/** A new log in a folder of its own; each store on it is what `seenAs` makes of it. */
export async function openSqliteInFolder(
  seenAs: (store: EventStore) => EventStore = store => store,
): Promise<OpenedStore> {
  const folder = await mkdtemp(join(tmpdir(), 'roster-test-'))
  const opened: EventStore[] = []
  const open = async () => {
    const store = seenAs(await openSqliteEventStore({ file: join(folder, 'events.db') }))
    opened.push(store)
    return store
  }
  const closeAll = () => Promise.all(opened.splice(0).map(store => store.close()))
  return {
    store: await open(),
    openAnother: open,
    async reopen() {
      await closeAll()
      return open()
    },
    async close() {
      await closeAll()
      await rm(folder, { recursive: true })
    },
  }
}
