import type { FoundBy } from '../projector/projection.ts'
import type { Generation } from './read-store.ts'
import type { Connection } from './sqlite.ts'
import type { Entry } from './sqlite-completion.ts'
import { tablesOf } from './sqlite-tables.ts'
import { gramsOf, suffixesOf } from './suffixes.ts'

type IndexTable<Document> = {
  valueIn(document: Document): string | null
  insert(entry: Entry): void
  remove(entry: Entry): void
}

/** A table of parts of the values that are searched. */
export type PartTable = {
  partsOf(value: string): string[]
  insert(part: string, entry: Entry): void
  remove(part: string, entry: Entry): void
}

/** The rows by which documents are found. Inserting one that is there, and removing one that is not, does nothing. */
export type Entries<Document> = {
  indexes: readonly IndexTable<Document>[]
  searched: IndexTable<Document> | undefined
  suffixes: PartTable | undefined
  grams: PartTable | undefined
  /** Makes the rows of a document those it has after a change; with `later`, the new ones wait. */
  change(key: string, before: Document | null, after: Document | null, later: boolean): void
}

export function createEntries<Document, Index extends string>(
  db: Connection,
  generation: Generation,
  foundBy: FoundBy<Document, Index>,
): Entries<Document> {
  const tables = tablesOf(generation)
  const byName = new Map(
    Object.entries<(document: Document) => string | null>(foundBy.indexes).map(([name, valueIn]) => {
      const insert = db.prepare<[string, string]>(`INSERT OR IGNORE INTO ${tables.index(name)} VALUES (?, ?)`)
      const remove = db.prepare<[string, string]>(
        `DELETE FROM ${tables.index(name)} WHERE value = ? AND key = ?`,
      )
      const table: IndexTable<Document> = {
        valueIn,
        insert: ({ value, key }) => void insert.run(value, key),
        remove: ({ value, key }) => void remove.run(value, key),
      }
      return [name, table]
    }),
  )
  const searched = foundBy.searched && byName.get(foundBy.searched)
  const suffixes = searched && createPartTable(db, tables.suffixes, 'suffix', suffixesOf)
  const grams = searched && createPartTable(db, tables.grams, 'gram', gramsOf)
  const parts = [suffixes, grams].filter(table => table !== undefined)
  const indexes = [...byName.values()]

  return {
    indexes,
    searched,
    suffixes,
    grams,
    change(key, before, after, later) {
      for (const table of indexes) {
        const old = before && table.valueIn(before)
        const value = after && table.valueIn(after)
        if (old === value) continue
        if (old !== null) {
          const entry = { value: old, key }
          table.remove(entry)
          if (table === searched) for (const each of parts) removeParts(each, entry)
        }
        if (value !== null && !later) {
          const entry = { value, key }
          table.insert(entry)
          if (table === searched) for (const each of parts) insertParts(each, entry)
        }
      }
    },
  }
}

function createPartTable(
  db: Connection,
  table: string,
  column: 'suffix' | 'gram',
  partsOf: (value: string) => string[],
): PartTable {
  const insert = db.prepare<[string, string, string]>(`INSERT OR IGNORE INTO ${table} VALUES (?, ?, ?)`)
  const remove = db.prepare<[string, string, string]>(
    `DELETE FROM ${table} WHERE ${column} = ? AND value = ? AND key = ?`,
  )
  return {
    partsOf,
    insert: (part, { value, key }) => void insert.run(part, value, key),
    remove: (part, { value, key }) => void remove.run(part, value, key),
  }
}

function insertParts(table: PartTable, entry: Entry): void {
  for (const part of table.partsOf(entry.value)) table.insert(part, entry)
}

function removeParts(table: PartTable, entry: Entry): void {
  for (const part of table.partsOf(entry.value)) table.remove(part, entry)
}
