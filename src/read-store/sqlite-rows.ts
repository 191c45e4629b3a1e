import type { Connection } from './sqlite.ts'

/** A table that is nothing but its key. Inserting a row that is there, and removing one that is not, does nothing. */
export type Rows = {
  insert(row: readonly string[]): void
  insertAll(rows: readonly (readonly string[])[]): void
  remove(row: readonly string[]): void
}

/** With one row a statement, most of the time would go into starting statements. */
const rowsPerStatement = 40

export function createRows(db: Connection, table: string, columns: readonly string[]): Rows {
  const placeholders = `(${columns.map(() => '?').join(', ')})`
  const insertion = (rows: number) =>
    db.prepare<string[]>(
      `INSERT OR IGNORE INTO ${table} VALUES ${new Array(rows).fill(placeholders).join(', ')}`,
    )
  const insert = insertion(1)
  const insertMany = insertion(rowsPerStatement)
  const isRow = columns.map(column => `${column} = ?`).join(' AND ')
  const remove = db.prepare<string[]>(`DELETE FROM ${table} WHERE ${isRow}`)

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
  }
}
