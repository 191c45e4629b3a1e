import type { FoundBy } from '../projector/projection.ts'
import type { Generation } from './read-store.ts'
import type { Connection } from './sqlite.ts'
import { createRows, type Row, type Rows } from './sqlite-rows.ts'
import { tablesOf } from './sqlite-tables.ts'
import { distinctSuffixesOf, gramsOf, headsOfSuffixes, suffixAt } from './suffixes.ts'

/** A document under one value of an index. */
export type Entry = { value: string; key: string; row: number }

export type IndexTable<Document> = Rows & { name: string; valueIn(document: Document): string | null }

/** A table of parts of the values that are searched. */
export type PartTable = Rows & {
  /** Each once. */
  partsOf(value: string): string[]
  /** What each part begins with: in the order of these, parts are nearly in order. */
  headsOf(value: string): string[]
  /** The part of this number, that begins with `head`. */
  partAt(value: string, number: number, head: string): string
}

/** The rows by which documents are found. */
export type Entries<Document> = {
  indexes: readonly IndexTable<Document>[]
  searched: IndexTable<Document> | undefined
  /** Of the index that is searched. */
  parts: readonly PartTable[]
  /** Makes the rows of a document those it has after a change; with `later`, the new ones wait. */
  change(
    document: { key: string; row: number },
    before: Document | null,
    after: Document | null,
    later: boolean,
  ): void
  /** The keys of those documents whose rows are not all there; `onRow` is told of each row that is. */
  incomplete(
    documents: readonly { key: string; row: number; document: Document }[],
    onRow?: (table: Rows, row: number) => void,
  ): Set<string>
  /** The rows of one value of an index, in its own table and in those of its parts. */
  rowsOf(table: IndexTable<Document>, entry: Entry): [Rows, Row][]
}

export function createEntries<Document, Index extends string>(
  db: Connection,
  generation: Generation,
  foundBy: FoundBy<Document, Index>,
): Entries<Document> {
  const tables = tablesOf(generation)
  const byName = new Map<string, IndexTable<Document>>(
    Object.entries<(document: Document) => string | null>(foundBy.indexes).map(([name, valueIn]) => [
      name,
      { ...createRows(db, tables.index(name), ['value', 'key']), name, valueIn },
    ]),
  )
  const indexes = [...byName.values()]
  const searched = foundBy.searched && byName.get(foundBy.searched)
  const parts = searched ? [suffixTable(db, tables.suffixes), gramTable(db, tables.grams)] : []

  function rowsOf(table: IndexTable<Document>, { value, key, row }: Entry): [Rows, Row][] {
    const own: [Rows, Row] = [table, [value, key, row]]
    if (table !== searched) return [own]
    const found = parts.flatMap(each =>
      each.partsOf(value).map((part): [Rows, Row] => [each, [part, value, key, row]]),
    )
    return [own, ...found]
  }

  return {
    indexes,
    searched,
    parts,
    rowsOf,
    change({ key, row }, before, after, later) {
      for (const table of indexes) {
        const old = before && storedValue(table, before)
        const value = after && table.valueIn(after)
        if (old === value) continue
        if (old !== null) {
          for (const [rows, its] of rowsOf(table, { value: old, key, row })) rows.remove(its)
        }
        if (value !== null && !later) {
          for (const [rows, its] of rowsOf(table, { value, key, row })) rows.insert(its)
        }
      }
    },
    incomplete(documents, onRow = () => {}) {
      const found = new Set<string>()
      for (const table of indexes) {
        const owners = documents.flatMap(({ key, row, document }): Entry[] => {
          const value = storedValue(table, document)
          return value === null ? [] : [{ value, key, row }]
        })
        const wanted = owners.map((owner): WantedRow => [owner.value, owner])
        const toRow = ({ value, key, row }: Entry): Row => [value, key, row]
        for (const key of lacking(table, wanted, toRow, onRow)) found.add(key)
        for (const each of table === searched ? parts : []) {
          const wanted = owners.flatMap(owner =>
            each.partsOf(owner.value).map((part): WantedRow => [part, owner]),
          )
          const toRow = ({ value, key, row }: Entry, part: string): Row => [part, value, key, row]
          for (const key of lacking(each, wanted, toRow, onRow)) found.add(key)
        }
      }
      return found
    },
  }
}

type WantedRow = [begin: string, owner: Entry]

/** The keys of the documents that lack a row; `onRow` is told of each that is there. */
function* lacking(
  table: Rows,
  wanted: WantedRow[],
  toRow: (owner: Entry, begin: string) => Row,
  onRow: (table: Rows, row: number) => void,
): Generator<string> {
  // In the order of the table, of which most is not in memory: a page of it is read once.
  wanted.sort(([a, { value: x }], [b, { value: y }]) => (a < b || (a === b && x < y) ? -1 : 1))
  for (const [begin, owner] of wanted) {
    if (table.has(toRow(owner, begin))) onRow(table, owner.row)
    else yield owner.key
  }
}

function suffixTable(db: Connection, table: string): PartTable {
  const rows = createRows(db, table, ['suffix', 'value', 'key'])
  return { ...rows, partsOf: distinctSuffixesOf, headsOf: headsOfSuffixes, partAt: suffixAt }
}

function gramTable(db: Connection, table: string): PartTable {
  const rows = createRows(db, table, ['gram', 'value', 'key'])
  return { ...rows, partsOf: gramsOf, headsOf: gramsOf, partAt: (_value, _number, gram) => gram }
}

/** What a stored document is found by: nothing if somebody changed it so that it has not got that. */
export function storedValue<Document>(
  { valueIn }: Pick<IndexTable<Document>, 'valueIn'>,
  document: Document,
): string | null {
  try {
    const value: unknown = valueIn(document)
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}
