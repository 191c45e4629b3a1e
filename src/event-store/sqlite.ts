import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import {
  type AppendResult,
  beforeAll,
  noStream,
  type Position,
  type Revision,
  RevisionConflict,
  StoreUnavailable,
  type StreamFilter,
} from './event-store.ts'
import { groupCommit } from './group-commit.ts'
import type { BatchOf, WholeEventStore } from './log-transfer.ts'
import { type Durability, openDurability } from './sqlite-durability.ts'
import { isDamage, storeError, whileBusy } from './sqlite-failures.ts'
import { createInARow } from './sqlite-in-a-row.ts'
import { createPurge } from './sqlite-purge.ts'
import { type RestoreSql, restore } from './sqlite-restore.ts'
import { decode, type EncodedEvent, encode, type Row, textOf } from './sqlite-rows.ts'
import { erasuresIndex, schema, schemaVersion } from './sqlite-schema.ts'
import { selectMatching, statements } from './sqlite-statements.ts'
import { requireSoundWal } from './sqlite-wal.ts'
import { bell, tail } from './tail.ts'

export type SqliteEventStoreOptions = {
  /** Its folder is made if need be. SQLite puts two more files beside it, `-wal` and `-shm`. */
  file: string
  /** What one append may take, 1 MiB as EventStoreDB's default, so that a log fits into either. */
  maxAppendBytes?: number
  /** How long a call without a deadline of its own waits while other processes hold the file, in milliseconds. */
  patienceMs?: number
  /** How often to look for what other processes appended, while a subscription waits for it, in milliseconds. */
  pollIntervalMs?: number
}

/** Pages in the write-ahead log (16 MiB) before they are moved to the file: the fewer times, the fewer writes. */
const checkpointPages = 4000

const lastRevision = 2n ** 63n - 1n
const eventsPerBatch = 512
const charactersPerBatch = 4 * 1024 * 1024
/** How many positions a batch looks through at most, so that a filter that seldom matches blocks nobody. */
const positionsPerBatch = 5000n

/**
 * Opens the log in `file`, and makes it if there is none; any number of processes may do so at once. Throws
 * StoreUnavailable if it cannot be opened or is damaged.
 */
export async function openSqliteEventStore(given: SqliteEventStoreOptions): Promise<WholeEventStore> {
  mkdirSync(dirname(given.file), { recursive: true })
  // SQLite puts its other files beside the one that a symbolic link stands for.
  const file = existsSync(given.file) ? realpathSync(given.file) : given.file
  const options = { ...given, file }
  const { patienceMs = 5000 } = options
  const deadline = performance.now() + patienceMs
  await requireSoundWal(file)
  // Waiting for a lock inside SQLite would hold up the event loop: a busy file is tried again from outside.
  const db = await whileBusy(file, deadline, () => new Database(file, { timeout: 0 }))
  try {
    await whileBusy(file, deadline, () => setUp(db, file))
    // A log that cannot be written now is read without it.
    await whileBusy(file, deadline, () => void db.exec(erasuresIndex)).catch(() => {})
    const sql = await whileBusy(file, deadline, () => statements(db))
    const durability = await openDurability(file, deadline, () => sql.head.get() ?? beforeAll)
    return eventStore(db, sql, durability, options)
  } catch (error) {
    db.close()
    throw error
  }
}

function setUp(db: Database.Database, file: string): void {
  db.defaultSafeIntegers(true)
  const mode = db.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal') throw new Error(`expected ${file} to have journal mode wal, found ${mode}`)
  // What is acknowledged is synced besides, outside the event loop.
  db.pragma('synchronous = NORMAL')
  db.pragma('secure_delete = ON')
  db.pragma('cache_size = -8000')
  db.pragma(`wal_autocheckpoint = ${checkpointPages}`)
  const version = db.pragma('user_version', { simple: true })
  if (version === 0n) db.transaction(() => db.exec(schema)).immediate()
  else if (version !== schemaVersion) {
    throw new Error(`expected ${file} to have schema version ${schemaVersion}, found ${version}`)
  }
}

function eventStore(
  db: Database.Database,
  sql: ReturnType<typeof statements>,
  durability: Durability,
  options: SqliteEventStoreOptions,
): WholeEventStore {
  const { file, maxAppendBytes = 1024 * 1024, patienceMs = 5000, pollIntervalMs = 3 } = options
  const closing = new AbortController()
  const news = bell(durableHead, pollIntervalMs)
  const rollback = () => void (db.inTransaction && db.exec('ROLLBACK'))
  /** Others need the lock, whatever keeps us from writing. */
  const giveBack = (error: unknown) => {
    rollback()
    throw error
  }
  const begin = async () => {
    rollback() // what could not be rolled back before
    durability.requireIntact()
    sql.begin.run()
    // Nothing is written behind a commit, of another process too, that is not on disk: so damage can be told.
    if (durability.isBehind()) await durability.sync().catch(giveBack)
  }
  const sync = async () => {
    await durability.sync()
    news.ring()
  }
  const writes = groupCommit(file, { begin, commit: () => void sql.commit.run(), rollback, sync })

  const inARow = createInARow()
  const purge = createPurge(file, patienceMs)

  function patience(): number {
    return performance.now() + patienceMs
  }

  function requireOpen(): void {
    if (closing.signal.aborted) throw new StoreUnavailable(`${file} is closed`)
  }

  function readHead(): Position {
    requireOpen()
    return sql.head.get() ?? beforeAll
  }

  function durableHead(): Position {
    requireOpen()
    return durability.head(news.ring)
  }

  function revisionOf(stream: string): Revision {
    return sql.revision.get(stream, stream) ?? noStream
  }

  function write(stream: string, events: EncodedEvent[], expected: Revision): AppendResult {
    const actual = revisionOf(stream)
    const last = expected + BigInt(events.length)
    if (actual !== expected) {
      if (actual >= last && hasIds(stream, events, expected)) return { revision: last }
      throw new RevisionConflict(stream, expected, actual)
    }
    let revision = expected
    for (const event of events) insert(stream, ++revision, event)
    return { revision }
  }

  function insert(stream: string, revision: Revision, { id, type, data, metadata }: EncodedEvent): void {
    sql.insert.run(stream, revision, id, type, data, metadata)
  }

  const restoreSql: RestoreSql = {
    revisionOf,
    idAt: (stream, revision) => sql.ids.get(stream, revision - 1n, revision),
    insert,
    truncate: (stream, before) => void sql.truncate.run(stream, before),
  }

  function hasIds(stream: string, events: EncodedEvent[], after: Revision): boolean {
    const ids = sql.ids.all(stream, after, after + BigInt(events.length))
    return ids.length === events.length && events.every((event, index) => event.id === ids[index])
  }

  function batchReader<E>(
    filter: StreamFilter | undefined,
    decodeRow: (row: Row) => E,
    headOf: () => Position = readHead,
  ) {
    let select: ReturnType<typeof selectMatching> | undefined
    return (after: Position): BatchOf<E> => {
      // One writer at a time numbers its events and commits them, so up to the head all are there already.
      const head = headOf()
      if (after >= head) return { events: [], checkpoint: after, caughtUp: true }
      const end = after + positionsPerBatch < head ? after + positionsPerBatch : head
      select ??= selectMatching(db, filter)
      const events: E[] = []
      let characters = 0
      for (const row of select(after, end)) {
        events.push(decodeRow(row))
        characters += row[5].length + row[6].length
        if (events.length === eventsPerBatch || characters >= charactersPerBatch) {
          return { events, checkpoint: row[0], caughtUp: row[0] === head }
        }
      }
      return { events, checkpoint: end, caughtUp: end === head }
    }
  }

  async function* readBatches<B extends BatchOf<unknown>>(
    read: (after: Position) => B,
    { after = beforeAll, signal }: { after?: Position; signal?: AbortSignal },
  ): AsyncGenerator<B> {
    for (let checkpoint = after, caughtUp = false; !caughtUp && !signal?.aborted; ) {
      const batch = await whileBusy(file, patience(), () => read(checkpoint))
      yield batch
      ;({ checkpoint, caughtUp } = batch)
      if (!caughtUp) await nextTurn()
    }
  }

  return {
    async append(stream, events, expected, deadline = patience()) {
      requireOpen()
      const encoded = encode(stream, events, maxAppendBytes)
      return writes.run(() => write(stream, encoded, expected), deadline)
    },

    readStream(stream, { from, direction = 'forwards', limit = -1, deadline = patience() } = {}) {
      const select = () => {
        requireOpen()
        return direction === 'forwards'
          ? sql.forwards.all(stream, from ?? 0n, limit).map(decode)
          : sql.backwards.all(stream, from ?? lastRevision, limit).map(decode)
      }
      return inARow(() => whileBusy(file, deadline, select))
    },

    readAll: ({ filter, ...options } = {}) => readBatches(batchReader(filter, decode), options),
    readTexts: ({ filter, ...options } = {}) => readBatches(batchReader(filter, textOf), options),

    subscribe({ after, filter, signal }) {
      requireOpen()
      // Followers act on what they read: a power cut must not take it back.
      const readRaw = batchReader(filter, decode, durableHead)
      const read = (from: Position) => {
        try {
          return readRaw(from)
        } catch (error) {
          throw storeError(error, file)
        }
      }
      return tail({ read, bell: news, isFatal: isDamage }, after, AbortSignal.any([signal, closing.signal]))
    },

    head: () => whileBusy(file, patience(), readHead),

    async truncate(stream, before) {
      requireOpen()
      const remove = () => {
        const last = revisionOf(stream)
        if (before > last && last > noStream) sql.noteEmptied.run(stream, last)
        sql.truncate.run(stream, before)
      }
      return writes.run(remove, patience())
    },

    purge: () => {
      requireOpen()
      return purge()
    },

    async restore(events) {
      requireOpen()
      return writes.run(() => restore(restoreSql, events, maxAppendBytes), patience())
    },

    // What is truncated is not in the file any more.
    async *truncations() {},

    async close() {
      inARow.flush()
      closing.abort()
      await writes.idle()
      await durability.close()
      db.close()
    },
  }
}
