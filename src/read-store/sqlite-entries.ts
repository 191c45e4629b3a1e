import type { FoundBy } from '../projector/projection.ts'
import type { Generation } from './read-store.ts'
import type { Connection } from './sqlite.ts'
import type { Entry } from './sqlite-completion.ts'
import { tablesOf } from './sqlite-tables.ts'
import { suffixesOf } from './suffixes.ts'

type IndexTable<Document> = {
  valueIn(document: Document): string | null
  insert(entry: Entry): void
  remove(entry: Entry): void
}

/** The rows by which documents are found. Inserting one that is there, and removing one that is not, does nothing. */
export type Entries<Document> = {
  indexes: readonly IndexTable<Document>[]
  searched: IndexTable<Document> | undefined
  insertSuffix(row: { suffix: string; entry: Entry }): void
  /** Makes the rows of a document those it has after a change; with `later`, the new ones wait. */
  change(key: string, before: Document | null, after: Document | null, later: boolean): void
}

export function createEntries<Document, Index extends string>(
  db: Connection,
  generation: Generation,
  foundBy: FoundBy<Document, Index>,
): Entries<Document> {
  const { index, suffixes } = tablesOf(generation)
  const byName = new Map(
    Object.entries<(document: Document) => string | null>(foundBy.indexes).map(([name, valueIn]) => {
      const insert = db.prepare<[string, string]>(`INSERT OR IGNORE INTO ${index(name)} VALUES (?, ?)`)
      const remove = db.prepare<[string, string]>(`DELETE FROM ${index(name)} WHERE value = ? AND key = ?`)
      const table: IndexTable<Document> = {
        valueIn,
        insert: ({ value, key }) => void insert.run(value, key),
        remove: ({ value, key }) => void remove.run(value, key),
      }
      return [name, table]
    }),
  )
  const searched = foundBy.searched && byName.get(foundBy.searched)
  const ofSuffixes = searched && {
    insert: db.prepare<[string, string, string]>(`INSERT OR IGNORE INTO ${suffixes} VALUES (?, ?, ?)`),
    remove: db.prepare<[string, string, string]>(
      `DELETE FROM ${suffixes} WHERE suffix = ? AND value = ? AND key = ?`,
    ),
  }
  const indexes = [...byName.values()]

  return {
    indexes,
    searched,
    insertSuffix: ({ suffix, entry: { value, key } }) => void ofSuffixes?.insert.run(suffix, value, key),
    change(key, before, after, later) {
      for (const table of indexes) {
        const old = before && table.valueIn(before)
        const value = after && table.valueIn(after)
        if (old === value) continue
        if (old !== null) {
          table.remove({ value: old, key })
          if (table === searched) for (const each of suffixesOf(old)) ofSuffixes?.remove.run(each, old, key)
        }
        if (value !== null && !later) {
          table.insert({ value, key })
          if (table === searched)
            for (const each of suffixesOf(value)) ofSuffixes?.insert.run(each, value, key)
        }
      }
    },
  }
}
