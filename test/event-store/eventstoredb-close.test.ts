import { expect } from 'chai'
import { StoreUnavailable } from '../../src/event-store/event-store.ts'
import { openOnWireLevelServer } from '../support/eventstoredb-stores.ts'
import { someEvents } from '../support/log-events.ts'

describe('The EventStoreDB adapter', () => {
  it('closes after reads that were given up before their answer was read to its end', async () => {
    const { store, close } = await openOnWireLevelServer()
    await store.append('some', someEvents(500), -1n)
    const reads = Array.from({ length: 100 }, async (_, at) =>
      store
        .readStream('some', { limit: 1, deadline: performance.now() + at * 5 })
        .catch((error: unknown) => error),
    )
    for (const outcome of await Promise.all(reads)) {
      if (!Array.isArray(outcome)) expect(outcome).to.be.instanceOf(StoreUnavailable)
    }
    await close()
  })
})
