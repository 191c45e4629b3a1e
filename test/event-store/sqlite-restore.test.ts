import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { noStream } from '../../src/event-store/event-store.ts'
import type { WholeEventStore } from '../../src/event-store/log-transfer.ts'
import { wholeWithStreamPrefix } from '../../src/event-store/prefixed.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { anEvent, idsOf, readWhole } from '../support/log-events.ts'
import { transferTests } from './conformance/transfer.ts'

for (const prefix of ['', 'tenant-']) {
  describe(`moving a log into SQLite${prefix && ', under a stream prefix'}`, () => {
    let folder: string
    let store: WholeEventStore
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'roster-test-'))
      store = wholeWithStreamPrefix(await openSqliteEventStore({ file: join(folder, 'events.db') }), prefix)
    })
    afterEach(async () => {
      await store.close()
      await rm(folder, { recursive: true })
    })

    transferTests(() => store)

    it('reads the events of some types alone', async () => {
      const types = ['A', 'B', 'C', 'B']
      const events = types.map(type => anEvent({}, { type }))
      await store.append('user-1', events, noStream)
      await store.append('session-1', [anEvent({}, { type: 'B' })], noStream)
      const filter = { prefixes: ['user-'], types: ['B', 'C'] }
      expect(idsOf(await readWhole(store, { filter }))).to.deep.equal(idsOf(events.slice(1)))
    })
  })
}
