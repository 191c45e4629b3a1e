import { join } from 'node:path'
import { expect } from 'chai'
import { noStream } from '../../src/event-store/event-store.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { anEvent } from '../support/log-events.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

describe('The identity of a log', () => {
  it('is made at the first start and the same at every later one', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      const store = await openSqliteEventStore({ file })
      const first = await openLog(store, () => new Date('2026-01-01T12:00:00Z'))
      expect(first.logId).to.match(/^[0-9a-f-]{36}$/)
      expect(first.namesKey).to.have.length(32)
      const events = await store.readStream('log')
      expect(events).to.have.length(1)
      expect(events[0]).to.deep.include({
        type: 'LogCreated',
        data: { logId: first.logId, namesKey: first.namesKey.toString('base64url') },
      })
      expect(events[0]?.metadata).to.include({
        actor: 'system',
        time: '2026-01-01T12:00:00.000Z',
        version: 1,
      })
      await store.close()

      const again = await openSqliteEventStore({ file })
      expect(await openLog(again)).to.deep.equal(first)
      await again.close()
    }))

  it('is one for all who start first at once', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      const stores = await Promise.all([1, 2, 3].map(() => openSqliteEventStore({ file })))
      const [first, ...others] = await Promise.all([...stores, ...stores].map(store => openLog(store)))
      for (const other of others) expect(other).to.deep.equal(first)
      expect(await stores[0]?.readStream('log')).to.have.length(1)
      await Promise.all(stores.map(store => store.close()))
    }))

  it('differs from log to log', () =>
    withTemporaryFolder(async folder => {
      const identities = []
      for (const name of ['a.db', 'b.db']) {
        const store = await openSqliteEventStore({ file: join(folder, name) })
        identities.push(await openLog(store))
        await store.close()
      }
      expect(identities[0]?.logId).not.to.equal(identities[1]?.logId)
      expect(identities[0]?.namesKey).not.to.deep.equal(identities[1]?.namesKey)
    }))

  it('is refused when its stream does not begin as one', () =>
    withTemporaryFolder(async folder => {
      const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
      const block = anEvent({ first: 1, size: 20 }, { type: 'IdBlockClaimed' })
      await store.append('log', [block], noStream)
      const error = await openLog(store).catch((reason: unknown) => reason)
      expect(String(error)).to.contain(
        'expected LogCreated as the first event of stream log, found IdBlockClaimed',
      )
      await store.close()
    }))

  it('is refused when its key is not one of 32 bytes', () =>
    withTemporaryFolder(async folder => {
      const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
      await store.append('log', [anEvent({ logId: 'x', namesKey: 'abcd' }, { type: 'LogCreated' })], noStream)
      const error = await openLog(store).catch((reason: unknown) => reason)
      expect(String(error)).to.contain('expected a key of 32 bytes in stream log, found 3')
      await store.close()
    }))
})
