import { setImmediate as nextTurn } from 'node:timers/promises'
import type { IndexCheck, Stray } from './read-store.ts'
import { type Entries, type IndexTable, type PartTable, storedValue } from './sqlite-entries.ts'
import type { Row, Rows } from './sqlite-rows.ts'
import type { Session } from './sqlite-session.ts'

type Looked<Document> = { key: string; row: number; document: Document }
/** The table of an index, or one of the parts of its values. */
type Checked<Document> = { index: IndexTable<Document>; part: PartTable | null }
type Found = { value: string; key: string; row: number; part: string | null }

const rowsAtOnce = 2000
const beforeAllRows = -Number.MAX_SAFE_INTEGER

/**
 * Counts the rows that documents should have and do have, so that a table which has as many is known to have no others.
 * Only in one that has more each row is held against its document, and in any those of documents after `lastRow`.
 */
export function createIndexCheck<Document>(
  { db, read, write }: Session,
  entries: Entries<Document>,
  look: (key: string) => Looked<Document> | null,
  lastRow: number,
): IndexCheck {
  const inOneView = <T>(work: () => T): T => db.transaction(work)()
  const right = new Map<Rows, number>()
  const tables: Checked<Document>[] = entries.indexes.flatMap(index => [
    { index, part: null },
    ...(index === entries.searched ? entries.parts.map(part => ({ index, part })) : []),
  ])

  function countRight(table: Rows, row: number): void {
    if (row <= lastRow) right.set(table, (right.get(table) ?? 0) + 1)
  }

  function incomplete(keys: readonly string[], onRow?: typeof countRight): string[] {
    return [
      ...entries.incomplete(
        keys.flatMap(key => look(key) ?? []),
        onRow,
      ),
    ]
  }

  /** Where the rows begin that are to be held against their documents; null if there are none. */
  async function suspectsOf(table: Rows): Promise<number | null> {
    const { upTo, beyond } = await read(() => table.count(lastRow))
    if (upTo !== (right.get(table) ?? 0)) return beforeAllRows
    return beyond > 0 ? lastRow : null
  }

  /** Whether a document is to be found by it, whichever its row says. */
  function isRight({ index, part: table }: Checked<Document>, { value, key, part }: Found): boolean {
    const document = look(key)?.document
    if (document === undefined || storedValue(index, document) !== value) return false
    return !table || part === null || table.partsOf(value).includes(part)
  }

  /** A part stands and falls with its value, whose own row was looked at before. */
  function isPartOfKnown({ index, part: table }: Checked<Document>, { value, key, row, part }: Found) {
    return table && part !== null && table.partsOf(value).includes(part) && index.has([value, key, row])
  }

  function remove({ index, part: table }: Checked<Document>, { value, key, row, part }: Found): void {
    if (table && part !== null) table.remove([part, value, key, row])
    else for (const [rows, its] of entries.rowsOf(index, { value, key, row })) rows.remove(its)
  }

  /** Of a page of rows the last one, and the strays: in one view, for others write meanwhile. */
  function lookAtPage(checked: Checked<Document>, after: Row | null, from: number) {
    const rows = tableOf(checked).page(after, from, rowsAtOnce)
    const suspects = rows.map(toFound).filter(found => !isPartOfKnown(checked, found))
    return { last: rows.at(-1) ?? null, strays: suspects.filter(found => !isRight(checked, found)) }
  }

  /** Returns those that were still none by which a document is to be found. */
  function removeAll(checked: Checked<Document>, strays: readonly Found[]): Found[] {
    const removed = strays.filter(found => !isRight(checked, found))
    for (const stray of removed) remove(checked, stray)
    return removed
  }

  return {
    unfindable: async keys => {
      const suspects = await read(() => incomplete(keys, countRight))
      // What was written while it was looked at is looked at again.
      return read(() => inOneView(() => suspects.flatMap(key => incomplete([key]))))
    },

    async *strays({ remove: removing, signal }): AsyncGenerator<Stray> {
      for (const checked of tables) {
        const from = await suspectsOf(tableOf(checked))
        if (from === null) continue
        for (let after: Row | null = null; !signal.aborted; ) {
          const { last, strays } = await read(() => inOneView(() => lookAtPage(checked, after, from)))
          const told = removing && strays.length > 0 ? await write(() => removeAll(checked, strays)) : strays
          for (const { key } of told) yield { index: checked.index.name, key }
          after = last
          if (!after) break
          await nextTurn()
        }
      }
    },
  }
}

function tableOf<Document>({ index, part }: Checked<Document>): Rows {
  return part ?? index
}

function toFound(row: Row): Found {
  const [value, key, at] = row.slice(-3) as [string, string, number]
  return { value, key, row: at, part: row.length > 3 ? String(row[0]) : null }
}
