import type Database from 'better-sqlite3'
import type { Position, Revision, StreamFilter } from './event-store.ts'
import { columns, type Row } from './sqlite-rows.ts'

/** Every statement of the log but those of a filter. */
export function statements(db: Database.Database) {
  // `LIMIT +?` and not `LIMIT ?`, for whose value SQLite would plan the statement anew at each call (6 µs, not 1).
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    insert: db.prepare(
      'INSERT INTO events (stream, revision, id, type, data, metadata) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    truncate: db.prepare('DELETE FROM events WHERE stream = ? AND revision < ?'),
    noteEmptied: db.prepare('INSERT OR REPLACE INTO emptied (stream, revision) VALUES (?, ?)'),
    revision: db
      .prepare<[string, string], Revision | null>(
        `SELECT coalesce((SELECT max(revision) FROM events WHERE stream = ?),
                         (SELECT revision FROM emptied WHERE stream = ?))`,
      )
      .pluck(),
    ids: db
      .prepare<[string, Revision, Revision], string>(
        'SELECT id FROM events WHERE stream = ? AND revision > ? AND revision <= ? ORDER BY revision',
      )
      .pluck(),
    forwards: db
      .prepare<[string, Revision, number], Row>(
        `SELECT ${columns} FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT +?`,
      )
      .raw(),
    backwards: db
      .prepare<[string, Revision, number], Row>(
        `SELECT ${columns} FROM events WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT +?`,
      )
      .raw(),
    head: db.prepare<[], Position>(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`).pluck(),
  }
}

/** Reads, in order, the events after the first position up to the second that pass the filter. */
export function selectMatching(db: Database.Database, filter: StreamFilter | undefined) {
  const { sql, bounds } = matching(filter)
  const select = db.prepare<unknown[], Row>(sql).raw()
  return (after: Position, end: Position) => select.iterate(after, end, ...bounds)
}

/**
 * SQL that takes two positions and `bounds`. It goes by position: `+stream` keeps SQLite from the index of streams. Types
 * are spelled out, for only so SQLite sees that the index of erasures has all that is asked for.
 */
export function matching(filter: StreamFilter | undefined): { sql: string; bounds: string[] } {
  const { prefixes = [''], types } = filter ?? {}
  const matches = anyOf(prefixes.map(() => '+stream >= ? AND +stream < ?'))
  const isOfType = types ? anyOf(types.map(type => `type = ${quoted(type)}`)) : 'TRUE'
  const sql = `SELECT ${columns} FROM events
    WHERE position > ? AND position <= ? AND (${matches}) AND (${isOfType}) ORDER BY position`
  return { sql, bounds: prefixes.flatMap(prefix => [prefix, `${prefix}\u{10ffff}`]) }
}

const anyOf = (conditions: string[]) => conditions.join(' OR ') || 'FALSE'
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
