import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { JsonObject } from '../event-store/event-store.ts'
import { isBusy, jitter } from '../event-store/sqlite-failures.ts'
import { createPurge } from '../event-store/sqlite-purge.ts'
import { createLock } from '../projector/lock.ts'
import type { FoundBy } from '../projector/projection.ts'
import { type Documents, type Generation, generationFollower, type ReadStore } from './read-store.ts'
import { booksSchema, createBooks, createLedger, forgetGeneration } from './sqlite-books.ts'
import { createDocuments } from './sqlite-documents.ts'
import { createSession, readStoreError } from './sqlite-session.ts'
import { createTables, existingTables } from './sqlite-tables.ts'

export type Connection = Database.Database

/** Raised when tables change their form: what is there is dropped then, and rebuilt from the log. */
const format = 3
const patienceMs = 10_000
/** A few milliseconds. */
const rowsPerDeletion = 500

/**
 * The read store in one file, which several processes may use. All of it can be rebuilt from the log; a power cut
 * may take its last moments along, documents and checkpoints together. Throws StoreUnavailable.
 */
export async function openSqliteReadStore(file: string): Promise<ReadStore> {
  const db = await openConnection(file)
  const session = createSession(db)
  const ledger = createLedger(db)
  const opened = new Map<string, { foundBy: unknown; documents: unknown }>()
  // The share of its time that a drop takes is the process's, however many there are.
  const oneDropAtATime = createLock()

  function open<Document extends JsonObject, Index extends string>(
    generation: Generation,
    foundBy: FoundBy<Document, Index>,
  ): Documents<Document, Index> {
    const name = generationFollower(generation)
    const known = opened.get(name)
    if (known?.foundBy === foundBy) return known.documents as Documents<Document, Index>
    try {
      const documents = createDocuments(session, ledger, generation, foundBy)
      opened.set(name, { foundBy, documents })
      return documents
    } catch (error) {
      // The generation was dropped, or never made.
      throw readStoreError(error, file)
    }
  }

  async function drop(projection: string, number: number, share: number): Promise<void> {
    opened.delete(generationFollower({ projection, number }))
    const tables = await session.read(() => existingTables(db, { projection, number }))
    for (const table of tables) {
      // Bit by bit: to drop a large table at once would lock everybody out for a long time.
      const remove = db.prepare(`DELETE FROM ${table} LIMIT ${rowsPerDeletion}`)
      for (;;) {
        const begun = performance.now()
        const { changes } = await session.write(() => remove.run())
        if (changes === 0) break
        const ms = performance.now() - begun
        await pause(Math.max(1, ms / share - ms))
      }
    }
    await session.write(() => {
      for (const table of tables) db.exec(`DROP TABLE IF EXISTS ${table}`)
      forgetGeneration(db, { projection, number })
    })
  }

  return {
    ...createBooks(session, ledger),
    open,
    counts: null,

    createGeneration: generation =>
      session.write(() => {
        createTables(db, generation)
        const { projection, number } = generation
        db.prepare('INSERT OR IGNORE INTO generations VALUES (?, ?, ?)').run(
          projection,
          number,
          JSON.stringify(generation),
        )
      }),

    dropGeneration: (projection, number, share = 1) => oneDropAtATime(() => drop(projection, number, share)),

    purge: createPurge(file, patienceMs),

    isDown: session.isDown,

    async close() {
      session.close()
    },
  }
}

async function openConnection(file: string): Promise<Connection> {
  const deadline = performance.now() + patienceMs
  for (let tries = 0; ; tries++) {
    let db: Connection | undefined
    try {
      db = new Database(file, { timeout: 0 })
      prepare(db)
      return db
    } catch (error) {
      db?.close()
      if (!isBusy(error) || performance.now() >= deadline) throw readStoreError(error, file)
    }
    await pause(jitter(tries))
  }
}

function prepare(db: Connection): void {
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma('secure_delete = ON')
  db.pragma('cache_size = -16000')
  db.pragma('temp_store = MEMORY')
  db.pragma('wal_autocheckpoint = 8000')
  db.pragma('journal_size_limit = 67108864')
  db.transaction(() => {
    const found = Number(db.pragma('user_version', { simple: true }))
    if (found > format) {
      throw new Error(`expected a read store of format ${format} or older in ${db.name}, found ${found}`)
    }
    if (found !== 0 && found < format) dropAllTables(db)
    db.exec(booksSchema)
    db.pragma(`user_version = ${format}`)
  }).immediate()
}

function dropAllTables(db: Connection): void {
  const names = db.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all()
  for (const name of names) db.exec(`DROP TABLE "${name}"`)
}
