import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import type { Generation } from '../../src/read-store/read-store.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { documentStatements } from '../../src/read-store/sqlite-documents.ts'
import { searchStatements } from '../../src/read-store/sqlite-search.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const generation: Generation = {
  projection: 'people',
  number: 1,
  version: 1,
  partitions: 1,
  logId: 'log-a',
  indexes: ['name'],
  searched: 'name',
  reason: 'a test',
  createdAt: '2024-01-01T00:00:00.000Z',
}

describe('the SQL of the read store', () => {
  it('reads a range of an index in every step, and orders in memory only what a search has bounded', async () => {
    await withTemporaryFolder(async folder => {
      const file = join(folder, 'read.db')
      const store = await openSqliteReadStore(file)
      await store.createGeneration(generation)
      await store.close()
      const db = new Database(file)
      const plan = (sql: string) =>
        db
          .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all(new Array(sql.split('?').length - 1).fill(null))
          .map(({ detail }) => detail)
      const search = searchStatements(generation)
      const { byValue, byValueAt, ascending, descending, ...simple } = documentStatements(generation)
      const statements: Record<string, string> = {
        ...search,
        ...simple,
        byValue: byValue('name'),
        byValueAt: byValueAt('name'),
        ascending: ascending('name'),
        descending: descending('name'),
      }
      for (const [name, sql] of Object.entries(statements)) {
        const steps = plan(sql)
        const reads = steps.filter(step => /^(SEARCH|SCAN)/.test(step) && !/^SCAN i$/.test(step))
        expect(reads, name).to.not.have.length(0)
        for (const step of reads) {
          expect(step, name).to.match(/^SEARCH .* USING ((INTEGER )?PRIMARY KEY|INDEX .+) \(.*[<>=]/)
        }
        const sorts = steps.filter(step => step.includes('TEMP B-TREE'))
        expect(sorts, name).to.have.length(name === 'ordered' ? 1 : 0)
      }
      db.close()
    })
  })
})
