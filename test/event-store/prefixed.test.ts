import { join } from 'node:path'
import { expect } from 'chai'
import { beforeAll, type EventStore, noStream } from '../../src/event-store/event-store.ts'
import { withStreamPrefix } from '../../src/event-store/prefixed.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { collect, idsOf, readWhole, someEvents } from '../support/log-events.ts'
import { openSqliteInFolder } from '../support/sqlite-stores.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'
import { eventStoreConformance } from './conformance.ts'

eventStoreConformance('A store under a prefix', () =>
  openSqliteInFolder(store => withStreamPrefix(store, 'tenant-7-')),
)

describe('A store under a prefix', () => {
  const withStore = (use: (store: EventStore) => Promise<void>) =>
    withTemporaryFolder(async folder => {
      const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
      await use(store)
      await store.close()
    })

  it('keeps streams of the same name apart from those of other prefixes and of the store itself', () =>
    withStore(async store => {
      const tenants = [store, withStreamPrefix(store, 'a-'), withStreamPrefix(store, 'b-')]
      for (const [index, tenant] of tenants.entries()) {
        await tenant.append('user-1', someEvents(index + 1), noStream)
      }
      for (const [index, tenant] of tenants.entries()) {
        expect(await tenant.readStream('user-1')).to.have.length(index + 1)
      }
      expect(await store.readStream('b-user-1')).to.have.length(3)
    }))

  it('reads and hears of its own streams only, by their names within it', () =>
    withStore(async store => {
      const tenant = withStreamPrefix(store, 'a-')
      await store.append('user-1', someEvents(1), noStream)
      await withStreamPrefix(store, 'b-').append('user-1', someEvents(1), noStream)
      await tenant.append('user-1', someEvents(1), noStream)
      await tenant.append('log', someEvents(1), noStream)
      const read = await readWhole(tenant)
      expect(read.map(event => event.stream)).to.deep.equal(['user-1', 'log'])
      expect(await readWhole(tenant, { filter: { prefixes: ['user-'] } })).to.deep.equal(read.slice(0, 1))
      expect(await readWhole(tenant, { filter: { prefixes: ['a-'] } })).to.deep.equal([])

      const subscription = collect(tenant, { after: beforeAll, filter: { prefixes: ['log'] } })
      await subscription.untilCaughtUp()
      await subscription.stop()
      expect(subscription.events()).to.deep.equal(read.slice(1))
    }))

  it('speaks of a conflict by the name within it', () =>
    withStore(async store => {
      const refused = await withStreamPrefix(store, 'a-')
        .append('user-1', someEvents(1), 3n)
        .catch((error: unknown) => error)
      expect(String(refused)).to.contain('expected revision 3, stream user-1 is at -1')
    }))

  it('is the store itself when there is no prefix', () =>
    withStore(async store => {
      expect(withStreamPrefix(store, '')).to.equal(store)
      await store.append('user-1', someEvents(1), noStream)
      expect(idsOf(await readWhole(store))).to.have.length(1)
    }))
})
