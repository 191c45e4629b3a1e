import { randomUUID } from 'node:crypto'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { withStreamPrefix } from '../../src/event-store/prefixed.ts'
import { eventStoreConformance } from '../event-store/conformance.ts'

const url = process.env.EVENTSTORE_URL

if (url !== undefined) {
  eventStoreConformance('The EventStoreDB of EVENTSTORE_URL', async () => {
    const prefix = `test-${randomUUID()}-`
    const opened: EventStore[] = []
    const open = async () => {
      const store = withStreamPrefix(await openEventStoreDB({ url }), prefix)
      opened.push(store)
      return store
    }
    const close = async () => {
      await Promise.all(opened.splice(0).map(store => store.close()))
    }
    return {
      store: await open(),
      openAnother: open,
      async reopen() {
        await close()
        return open()
      },
      close,
    }
  })
}
