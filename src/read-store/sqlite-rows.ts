import type { Connection } from './sqlite.ts'

/** The columns of a table's key, and the row of the document that they are of. */
export type Row = readonly [...key: string[], row: number]

/**
 * A table by which documents are found. Inserting what is there makes it that of the row given; removing what is not
 * there does nothing.
 */
export type Rows = {
  insert(row: Row): void
  insertAll(rows: readonly Row[]): void
  remove(row: Row): void
  has(row: Row): boolean
  /** How many rows are of documents up to `last`, and how many of later ones. */
  count(last: number): { upTo: number; beyond: number }
  /** The rows of documents beyond `last`, in the order of their keys after the key of another row. */
  page(after: Row | null, last: number, limit: number): Row[]
}

/** With one row a statement, most of the time would go into starting statements. */
const rowsPerStatement = 40

export function createRows(db: Connection, table: string, keyColumns: readonly string[]): Rows {
  const placeholders = `(${[...keyColumns, 'row'].map(() => '?').join(', ')})`
  const insertion = (rows: number) =>
    db.prepare<(string | number)[]>(
      `INSERT OR REPLACE INTO ${table} VALUES ${new Array(rows).fill(placeholders).join(', ')}`,
    )
  const insert = insertion(1)
  const insertMany = insertion(rowsPerStatement)
  const isRow = [...keyColumns, 'row'].map(column => `${column} = ?`).join(' AND ')
  const remove = db.prepare<(string | number)[]>(`DELETE FROM ${table} WHERE ${isRow}`)
  const select = db.prepare<(string | number)[]>(`SELECT 1 FROM ${table} WHERE ${isRow}`)
  const count = db.prepare<[number], { all: number; beyond: number }>(
    `SELECT count(*) AS "all", count(*) FILTER (WHERE row > ?) AS beyond FROM ${table}`,
  )
  const key = keyColumns.join(', ')
  const firstKey = keyColumns.map(() => '')
  const page = db
    .prepare<(string | number)[], Row>(
      `SELECT ${key}, row FROM ${table}
       WHERE (${key}) > (${keyColumns.map(() => '?').join(', ')}) AND row > ? ORDER BY ${key} LIMIT +?`,
    )
    .raw()

  return {
    insert: row => void insert.run(...row),
    insertAll(rows) {
      let from = 0
      for (; from + rowsPerStatement <= rows.length; from += rowsPerStatement) {
        insertMany.run(...rows.slice(from, from + rowsPerStatement).flat())
      }
      for (const row of rows.slice(from)) insert.run(...row)
    },
    remove: row => void remove.run(...row),
    has: row => select.get(...row) !== undefined,
    count(last) {
      const { all, beyond } = count.get(last) ?? { all: 0, beyond: 0 }
      return { upTo: all - beyond, beyond }
    },
    page: (after, last, limit) => page.all(...(after?.slice(0, -1) ?? firstKey), last, limit),
  }
}
