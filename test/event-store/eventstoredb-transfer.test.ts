import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import type { WholeEventStore } from '../../src/event-store/log-transfer.ts'
import { wholeWithStreamPrefix } from '../../src/event-store/prefixed.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { transferTests } from './conformance/transfer.ts'

for (const prefix of ['', 'tenant-']) {
  describe(`moving a log into EventStoreDB${prefix && ', under a stream prefix'}`, () => {
    let server: EventStoreDB
    let store: WholeEventStore
    beforeEach(async () => {
      server = await startEventStoreDB()
      store = wholeWithStreamPrefix(await openEventStoreDB({ url: server.url }), prefix)
    })
    afterEach(async () => {
      await store.close()
      await server.stop()
    })

    transferTests(() => store)
  })
}
