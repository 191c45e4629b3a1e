import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import type { StreamFilter } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { matching } from '../../src/event-store/sqlite-statements.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const erasures: StreamFilter = { prefixes: ['user-'], types: ['UserErased'] }

describe('The SQL of the event log', () => {
  /** How SQLite reads what passes the filter, in a log from which `leftOut` was dropped before it was opened again. */
  async function planOf(filter: StreamFilter | undefined, leftOut = ''): Promise<string[]> {
    return withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      await (await openSqliteEventStore({ file })).close()
      const before = new Database(file)
      before.exec(leftOut)
      before.close()
      await (await openSqliteEventStore({ file })).close()
      const db = new Database(file)
      const { sql, bounds } = matching(filter)
      const plan = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      const details = plan.all(0, 1, ...bounds).map(({ detail }) => detail)
      db.close()
      return details
    })
  }

  it('goes by position, whatever the filter', async () => {
    const streams = { prefixes: ['user-', 'session-'] }
    for (const filter of [undefined, streams, { ...streams, types: ['A', "It's"] }]) {
      expect(await planOf(filter)).to.deep.equal([
        'SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)',
      ])
    }
  })

  it('finds erasures by their index, also in a log that was made without it', async () => {
    const byIndex = ['SEARCH events USING INDEX erasures (position>? AND position<?)']
    expect(await planOf(erasures)).to.deep.equal(byIndex)
    expect(await planOf(erasures, 'DROP INDEX erasures')).to.deep.equal(byIndex)
  })
})
