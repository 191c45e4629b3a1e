import { type Generation, generationFollower } from './read-store.ts'
import type { Connection } from './sqlite.ts'

/** The tables of one generation, quoted for SQL. */
export type Tables = { documents: string; suffixes: string; grams: string; index(name: string): string }

const plainName = /^[a-z][a-z0-9_]*$/i

export function tablesOf(generation: Pick<Generation, 'projection' | 'number'>): Tables {
  const prefix = generationFollower(generation)
  const table = (name: string) => {
    if (!plainName.test(name) || !plainName.test(generation.projection)) {
      throw new Error(`expected letters, digits and underscores, found "${generation.projection}", "${name}"`)
    }
    return `"${prefix} ${name}"`
  }
  return {
    documents: table('documents'),
    suffixes: table('suffixes'),
    grams: table('grams'),
    index: name => table(`by_${name}`),
  }
}

/**
 * Documents by key, a table of (value, key) for each index; for search, values by their suffixes and grams. Each of
 * these has the document's row besides, so that it is found without another look at an index. Documents are too large
 * for a table without rowid, whose inner pages would hold a few of them each.
 */
export function createTables(db: Connection, generation: Generation): void {
  const { documents, suffixes, grams, index } = tablesOf(generation)
  db.exec(
    `CREATE TABLE IF NOT EXISTS ${documents} (
       row INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, stream TEXT NOT NULL, revision INTEGER NOT NULL,
       document TEXT
     )`,
  )
  for (const name of generation.indexes) {
    db.exec(
      `CREATE TABLE IF NOT EXISTS ${index(name)} (
         value TEXT NOT NULL, key TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (value, key)
       ) WITHOUT ROWID`,
    )
  }
  if (generation.searched !== null) {
    db.exec(
      `CREATE TABLE IF NOT EXISTS ${suffixes} (
         suffix TEXT NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL, row INTEGER NOT NULL,
         PRIMARY KEY (suffix, value, key)
       ) WITHOUT ROWID`,
    )
    db.exec(
      `CREATE TABLE IF NOT EXISTS ${grams} (
         gram TEXT NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL, row INTEGER NOT NULL,
         PRIMARY KEY (gram, value, key)
       ) WITHOUT ROWID`,
    )
  }
}

/** All tables of a generation that are there, quoted for SQL. */
export function existingTables(
  db: Connection,
  generation: Pick<Generation, 'projection' | 'number'>,
): string[] {
  const prefix = `${generationFollower(generation)} `
  return db
    .prepare<[string, string], string>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, length(?)) = ?`,
    )
    .pluck()
    .all(prefix, prefix)
    .map(name => `"${name}"`)
}

/** Greater than any text: SQLite sorts blobs behind it. */
export const afterAllText = Buffer.of(0xff)
