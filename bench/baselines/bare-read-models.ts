import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { toRecorded } from '../../src/account/upcasters.ts'
import type { EventStore, JsonObject } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { withStore } from '../../src/open-stores.ts'
import { foldEvents, keyEvents } from '../../src/projector/fold.ts'
import { newGeneration } from '../../src/projector/generation-requests.ts'
import type { Projection } from '../../src/projector/projection.ts'
import type { StoredDocument } from '../../src/read-store/read-store.ts'
import { createTables, tablesOf } from '../../src/read-store/sqlite-tables.ts'
import { gramsOf, suffixesOf } from '../../src/read-store/suffixes.ts'
import { projections } from '../../src/roster.ts'

/**
 * Answers each question with how many seconds a loop takes to write the rows of all read models of a log into tables
 * like Roster's, in transactions of 1,000 documents. The documents and the values of their indexes are in memory before
 * it starts, in the order of the log; the rows of indexes and for search are sorted 100,000 documents at a time, without
 * which it would take many times as long. Arguments: the log, and the file to write.
 */
const [logFile = '', file = ''] = process.argv.slice(2)
const documentsPerTransaction = 1000
const rowsPerTransaction = 10_000
const documentsSortedAtOnce = 100_000

type Document = {
  row: number
  key: string
  stream: string
  revision: bigint
  json: string
  values: (string | null)[]
}
type ReadModel = { projection: Projection<JsonObject>; documents: Document[] }
type Entry = { value: string; key: string; row: number }
type Part = Entry & { part: string }

async function readModelsOf(log: EventStore): Promise<ReadModel[]> {
  const folding = projections.map(projection => ({
    projection,
    folded: new Map<string, StoredDocument<JsonObject>>(),
  }))
  const prefixes = [...new Set(projections.flatMap(({ streams }) => streams))]
  for await (const { events } of log.readAll({ filter: { prefixes } })) {
    for (const { projection, folded } of folding) {
      const its = events.filter(({ stream }) => projection.streams.some(prefix => stream.startsWith(prefix)))
      const { keyed } = keyEvents(projection, its, toRecorded)
      for (const write of foldEvents(projection, keyed, folded).writes) folded.set(write.key, write)
    }
  }
  return folding.map(({ projection, folded }) => ({
    projection,
    documents: documentsOf(projection, folded.values()),
  }))
}

function documentsOf(
  { indexes }: Projection<JsonObject>,
  folded: Iterable<StoredDocument<JsonObject>>,
): Document[] {
  const valuesIn = Object.values(indexes)
  const documents: Document[] = []
  for (const { key, stream, revision, document } of folded) {
    if (document === null) continue
    const values = valuesIn.map(valueIn => valueIn(document))
    const row = documents.length + 1
    documents.push({ row, key, stream, revision, json: JSON.stringify(document), values })
  }
  return documents
}

function write(readModels: readonly ReadModel[]): number {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma('cache_size = -32000')
  db.pragma('wal_autocheckpoint = 2000')
  let seconds = 0
  for (const { projection, documents } of readModels) {
    const made = { number: 1, partitions: 1, logId: '', reason: 'bench', now: 0 }
    createTables(db, newGeneration(projection, made))
    const started = performance.now()
    writeReadModel(db, projection, documents)
    seconds += (performance.now() - started) / 1000
  }
  db.close()
  return seconds
}

function writeReadModel(
  db: Database.Database,
  { name, indexes, searched }: Projection<JsonObject>,
  documents: readonly Document[],
): void {
  const tables = tablesOf({ projection: name, number: 1 })
  const insertDocument = db.prepare(`INSERT INTO ${tables.documents} VALUES (?, ?, ?, ?, ?)`)
  inTransactions(db, documents, documentsPerTransaction, ({ row, key, stream, revision, json }) => {
    insertDocument.run(row, key, stream, revision, json)
  })
  const names = Object.keys(indexes)
  const inserts = names.map(each => db.prepare(`INSERT INTO ${tables.index(each)} VALUES (?, ?, ?)`))
  const tableOfParts = (table: string, partsOf: (value: string) => string[]) => ({
    insertPart: db.prepare(`INSERT OR IGNORE INTO ${table} VALUES (?, ?, ?, ?)`),
    partsOf,
  })
  const parts =
    searched === undefined
      ? []
      : [tableOfParts(tables.suffixes, suffixesOf), tableOfParts(tables.grams, gramsOf)]
  for (let from = 0; from < documents.length; from += documentsSortedAtOnce) {
    const slice = documents.slice(from, from + documentsSortedAtOnce)
    for (const [at, insert] of inserts.entries()) {
      const entries = slice.flatMap(({ row, key, values }): Entry[] => {
        const value = values[at] ?? null
        return value === null ? [] : [{ value, key, row }]
      })
      entries.sort((a, b) => (a.value < b.value ? -1 : 1))
      inTransactions(db, entries, rowsPerTransaction, ({ value, key, row }) => insert.run(value, key, row))
      if (names[at] !== searched) continue
      for (const { insertPart, partsOf } of parts) {
        const found = entries.flatMap(entry => partsOf(entry.value).map((part): Part => ({ part, ...entry })))
        found.sort((a, b) => (a.part < b.part ? -1 : 1))
        inTransactions(db, found, rowsPerTransaction, ({ part, value, key, row }) =>
          insertPart.run(part, value, key, row),
        )
      }
    }
  }
}

function inTransactions<T>(
  db: Database.Database,
  rows: readonly T[],
  rowsEach: number,
  insert: (row: T) => void,
): void {
  const writeSome = db.transaction((some: readonly T[]) => some.forEach(insert))
  for (let at = 0; at < rows.length; at += rowsEach) writeSome(rows.slice(at, at + rowsEach))
}

const readModels = await withStore(openSqliteEventStore({ file: logFile }), readModelsOf)
process.on('message', () => process.send?.(write(readModels)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
