import { join } from 'node:path'
import { expect } from 'chai'
import { beforeAll } from '../../src/event-store/event-store.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { sharedStream, startAppending } from '../support/append-processes.ts'
import { eventually } from '../support/eventually.ts'
import { collect, idsOf, readWhole } from '../support/log-events.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

describe('The SQLite event log among processes', () => {
  const users = { prefixes: ['user-', sharedStream] }

  it('is one log for processes that open it first at once, append to it and subscribe', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      const children = [startAppending(file, 'a hundred'), startAppending(file, 'a hundred')]
      const store = await openSqliteEventStore({ file })
      const subscription = collect(store, { after: beforeAll, filter: users })
      const { logId } = await openLog(store)
      await subscription.untilCount(200)
      await subscription.stop()
      await Promise.all(children.map(child => child.exited))

      for (const child of children) {
        expect(child.isDone()).to.equal(true)
        expect(child.logId()).to.equal(logId)
      }
      const acked = children.flatMap(child => child.acked().flat())
      expect(acked).to.have.length(200)
      expect(idsOf(subscription.events())).to.have.members(acked)
      expect(subscription.events()).to.deep.equal(await readWhole(store, { filter: users }))
      const revisions = (await store.readStream(sharedStream)).map(event => event.revision)
      expect(revisions).to.deep.equal(revisions.map((_, index) => BigInt(index)))
      await store.close()
    }))

  it('has everything acknowledged by a process that was killed, and its last append whole or not at all', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      const child = startAppending(file, 'until refused')
      await eventually(() => {
        expect(child.acked()).to.have.length.above(50)
      })
      await child.kill()
      const store = await openSqliteEventStore({ file })
      const ids = idsOf(await readWhole(store, { filter: users }))
      expect(ids).to.include.members(child.acked().flat())
      expect(ids.length % 3).to.equal(0)
      await store.close()
    }))

  it('refuses what the disk has no room for as unavailable, keeps the rest, and can be read all the time', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      const child = startAppending(file, 'until refused', 1024)
      await child.exited
      expect(child.refused()).to.match(
        /^StoreUnavailable: .*events\.db cannot be used now \(SQLITE_(FULL|IOERR)/,
      )
      expect(child.refused()).to.match(/; 0 of its events are there$/)
      const store = await openSqliteEventStore({ file })
      expect(idsOf(await readWhole(store, { filter: users }))).to.deep.equal(child.acked().flat())
      await store.close()
    }))
})
