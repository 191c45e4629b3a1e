import Database from 'better-sqlite3'
import {
  type AppendResult,
  type Batch,
  beforeAll,
  type EventStore,
  EventTooLarge,
  type NewEvent,
  noStream,
  type Position,
  type ReadStreamOptions,
  type RecordedEvent,
  type Revision,
  RevisionConflict,
  StoreUnavailable,
  type StreamFilter,
} from './event-store.ts'
import { groupCommit } from './group-commit.ts'
import { isDamage, storeError, whileBusy } from './sqlite-failures.ts'
import { bell, tail } from './tail.ts'

export type SqliteEventStoreOptions = {
  file: string
  /** As EventStoreDB's default, so that a log fits into either. */
  maxAppendBytes?: number
  /** How long a call without a deadline of its own waits for other processes, in milliseconds. */
  patienceMs?: number
  /** How often to look for appends of other processes while somebody waits for them. */
  pollIntervalMs?: number
}

const schemaVersion = 1n
const schema = `
  CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS events_by_stream ON events (stream, revision);
  -- The last revision of streams all of whose events are truncated.
  CREATE TABLE IF NOT EXISTS emptied (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${schemaVersion};
`

const lastRevision = 2n ** 63n - 1n
const eventsPerBatch = 512
/** How many positions one batch may look through, so that a filter which seldom matches blocks nobody. */
const positionsPerBatch = 5000n

type Row = [bigint, string, bigint, string, string, string, string]
const columns = 'position, stream, revision, id, type, data, metadata'

/** Opens, and creates if need be, the log in `file`. Any number of processes may do so at once. */
export async function openSqliteEventStore(options: SqliteEventStoreOptions): Promise<EventStore> {
  const { file, patienceMs = 5000 } = options
  const deadline = performance.now() + patienceMs
  const db = await whileBusy(file, deadline, () => new Database(file, { timeout: 0 }))
  try {
    await whileBusy(file, deadline, () => prepareFile(db, file))
    return sqliteEventStore(db, options)
  } catch (error) {
    db.close()
    throw error
  }
}

function prepareFile(db: Database.Database, file: string): void {
  db.defaultSafeIntegers(true)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  const version = db.pragma('user_version', { simple: true })
  if (version === 0n) db.transaction(() => db.exec(schema)).immediate()
  else if (version !== schemaVersion) {
    throw new Error(
      `expected ${file} to have schema ${schemaVersion}, found ${version}: made by a newer Roster`,
    )
  }
}

function sqliteEventStore(db: Database.Database, options: SqliteEventStoreOptions): EventStore {
  const { file, maxAppendBytes = 1024 * 1024, patienceMs = 5000, pollIntervalMs = 3 } = options
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const insertEvent = db.prepare(
    'INSERT INTO events (stream, revision, id, type, data, metadata) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const selectRevision = db
    .prepare<[string, string, bigint], Revision>(
      `SELECT coalesce((SELECT max(revision) FROM events WHERE stream = ?),
                       (SELECT revision FROM emptied WHERE stream = ?), ?)`,
    )
    .pluck()
  const selectIds = db
    .prepare<[string, bigint, number], string>(
      'SELECT id FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?',
    )
    .pluck()
  const selectForwards = db
    .prepare<[string, bigint, number], Row>(
      `SELECT ${columns} FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?`,
    )
    .raw()
  const selectBackwards = db
    .prepare<[string, bigint, number], Row>(
      `SELECT ${columns} FROM events WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT ?`,
    )
    .raw()
  const selectHead = db.prepare<[], Position>(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`).pluck()
  const noteEmptied = db.prepare('INSERT OR REPLACE INTO emptied VALUES (?, ?)')
  const deleteEvents = db.prepare('DELETE FROM events WHERE stream = ? AND revision < ?')

  const news = bell(readHead, pollIntervalMs)
  const closing = new AbortController()
  const transaction = {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => void (db.inTransaction && db.exec('ROLLBACK')),
  }
  const writes = groupCommit(file, transaction, news.ring)

  function readHead(): Position {
    return selectHead.get() ?? beforeAll
  }

  function revisionOf(stream: string): Revision {
    return selectRevision.get(stream, stream, noStream) ?? noStream
  }

  function requireOpen(): void {
    if (closing.signal.aborted) throw new StoreUnavailable(`${file} is closed`)
  }

  function write(stream: string, events: Encoded[], expected: Revision): AppendResult {
    const actual = revisionOf(stream)
    if (actual !== expected && !(actual > expected && hasIds(stream, events, expected))) {
      throw new RevisionConflict(stream, expected, actual)
    }
    let revision = expected
    for (const { id, type, data, metadata } of events) {
      revision++
      if (actual === expected) insertEvent.run(stream, revision, id, type, data, metadata)
    }
    return { revision }
  }

  function hasIds(stream: string, events: Encoded[], after: Revision): boolean {
    const ids = selectIds.all(stream, after, events.length)
    return ids.length === events.length && events.every((event, index) => event.id === ids[index])
  }

  function batchReader(filter: StreamFilter | undefined): (after: Position) => Batch {
    const bounds = (filter?.prefixes ?? []).flatMap(prefix => [prefix, `${prefix}\u{10ffff}`])
    const matches = filter ? filter.prefixes.map(() => 'stream >= ? AND stream < ?').join(' OR ') || '0' : '1'
    const select = db
      .prepare<unknown[], Row>(
        `SELECT ${columns} FROM events NOT INDEXED
         WHERE position > ? AND position <= ? AND (${matches}) ORDER BY position LIMIT ${eventsPerBatch}`,
      )
      .raw()
    return after => {
      try {
        // One writer at a time numbers and commits, so whatever is at or before the head is there already.
        const head = readHead()
        const end = after + positionsPerBatch < head ? after + positionsPerBatch : head
        const rows = end > after ? select.all(after, end, ...bounds) : []
        const last = rows.at(-1)
        const checkpoint = last && rows.length === eventsPerBatch ? last[0] : end > after ? end : after
        return { events: rows.map(recorded), checkpoint, caughtUp: checkpoint >= head }
      } catch (error) {
        throw storeError(error, file)
      }
    }
  }

  return {
    async append(stream, events, expected, deadline = performance.now() + patienceMs) {
      requireOpen()
      const encoded = encode(stream, events, maxAppendBytes)
      return writes.run(() => write(stream, encoded, expected), deadline)
    },

    async readStream(stream, { from, direction, limit = -1, deadline }: ReadStreamOptions = {}) {
      requireOpen()
      const rows = await whileBusy(file, deadline ?? performance.now() + patienceMs, () =>
        direction === 'backwards'
          ? selectBackwards.all(stream, from ?? lastRevision, limit)
          : selectForwards.all(stream, from ?? 0n, limit),
      )
      return rows.map(recorded)
    },

    async *readAll({ after = beforeAll, filter, signal } = {}) {
      requireOpen()
      const read = batchReader(filter)
      for (let checkpoint = after; ; ) {
        if (signal?.aborted || closing.signal.aborted) return
        const from = checkpoint
        const batch = await whileBusy(file, performance.now() + patienceMs, () => read(from))
        yield batch
        if (batch.caughtUp) return
        checkpoint = batch.checkpoint
        await new Promise(setImmediate)
      }
    },

    subscribe({ after, filter, signal }) {
      requireOpen()
      const isFatal = (error: unknown) => error instanceof Error && isDamage(error.cause)
      const log = { read: batchReader(filter), bell: news, isFatal }
      return tail(log, after, AbortSignal.any([signal, closing.signal]))
    },

    async head() {
      requireOpen()
      return whileBusy(file, performance.now() + patienceMs, readHead)
    },

    async truncate(stream, before) {
      requireOpen()
      const erase = () => {
        const last = revisionOf(stream)
        if (before > last && last !== noStream) noteEmptied.run(stream, last)
        deleteEvents.run(stream, before)
      }
      return writes.run(erase, performance.now() + patienceMs)
    },

    async close() {
      closing.abort()
      await writes.idle()
      db.close()
    },
  }
}

type Encoded = { id: string; type: string; data: string; metadata: string }

function encode(stream: string, events: NewEvent[], maxBytes: number): Encoded[] {
  if (events.length === 0) throw new RangeError(`append of no events to ${stream}`)
  const encoded = events.map(({ id, type, data, metadata }) => ({
    id,
    type,
    data: JSON.stringify(data),
    metadata: JSON.stringify(metadata),
  }))
  const sum = (size: (text: string) => number) =>
    encoded.reduce((bytes, event) => bytes + size(event.type) + size(event.data) + size(event.metadata), 0)
  // A UTF-16 unit is at most three bytes of UTF-8, so most appends need no exact count.
  if (sum(text => text.length * 3) > maxBytes) {
    const bytes = sum(text => Buffer.byteLength(text))
    if (bytes > maxBytes) throw new EventTooLarge(stream, bytes, maxBytes)
  }
  return encoded
}

function recorded([position, stream, revision, id, type, data, metadata]: Row): RecordedEvent {
  return {
    id,
    type,
    data: parse(data),
    metadata: parse(metadata),
    stream,
    revision,
    position,
  } as RecordedEvent
}

/** Text that is no JSON is handed on as it is, as EventStoreDB's client does; readers refuse it by its event. */
function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}
