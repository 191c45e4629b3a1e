import type { FoundBy } from '../projector/projection.ts'
import type { Generation } from './read-store.ts'
import type { Connection } from './sqlite.ts'
import { tablesOf } from './sqlite-tables.ts'
import { suffixesOf } from './suffixes.ts'

/** The rows by which documents are found. */
export type Entries<Document> = {
  /** Makes the rows of a document those it has after a change; with `searchLater`, new ones for search wait. */
  change(key: string, before: Document | null, after: Document | null, searchLater: boolean): void
  /** What a document is searched by, null if it is not. */
  searchedValue(document: Document): string | null
}

export function createEntries<Document, Index extends string>(
  db: Connection,
  generation: Generation,
  foundBy: FoundBy<Document, Index>,
): Entries<Document> {
  const { index, suffixes } = tablesOf(generation)
  const indexes = Object.entries<(document: Document) => string | null>(foundBy.indexes).map(
    ([name, valueIn]) => ({
      name,
      valueIn,
      insert: db.prepare<[string, string]>(`INSERT OR IGNORE INTO ${index(name)} VALUES (?, ?)`),
      remove: db.prepare<[string, string]>(`DELETE FROM ${index(name)} WHERE value = ? AND key = ?`),
    }),
  )
  const searched = indexes.find(({ name }) => name === foundBy.searched)
  const suffixRows = searched && {
    insert: db.prepare<[string, string, string]>(`INSERT OR IGNORE INTO ${suffixes} VALUES (?, ?, ?)`),
    remove: db.prepare<[string, string, string]>(
      `DELETE FROM ${suffixes} WHERE suffix = ? AND value = ? AND key = ?`,
    ),
  }

  return {
    change(key, before, after, searchLater) {
      for (const indexed of indexes) {
        const old = before && indexed.valueIn(before)
        const value = after && indexed.valueIn(after)
        if (old === value) continue
        if (old !== null) {
          indexed.remove.run(old, key)
          // Rows that were put off may be missing here, which does no harm.
          if (indexed === searched)
            for (const suffix of suffixesOf(old)) suffixRows?.remove.run(suffix, old, key)
        }
        if (value !== null) {
          indexed.insert.run(value, key)
          if (indexed === searched && !searchLater) {
            for (const suffix of suffixesOf(value)) suffixRows?.insert.run(suffix, value, key)
          }
        }
      }
    },
    searchedValue: document => searched?.valueIn(document) ?? null,
  }
}
