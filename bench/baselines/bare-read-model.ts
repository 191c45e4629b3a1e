import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { type Profile, profiles } from '../../projections/profiles.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { gramsOf, suffixesOf } from '../../src/read-store/suffixes.ts'

/**
 * Answers each question with how many seconds a loop takes to write the documents of a log, each with its row for its
 * name and its rows for search, in transactions of 1,000 documents. The documents are in memory before it starts, in
 * the order of the log; the rows for search are sorted 100,000 documents at a time, without which it would take many
 * times as long. Arguments: the log, and the file to write.
 */
const [logFile = '', file = ''] = process.argv.slice(2)
const documentsPerTransaction = 1000
const rowsPerTransaction = 10_000
const documentsSortedAtOnce = 100_000

type SearchRow = { text: string; name: string; key: string; row: number }
type Row = { row: number; key: string; name: string; stream: string; revision: bigint; json: string }

async function readDocuments(): Promise<Row[]> {
  const log = await openSqliteEventStore({ file: logFile })
  const documents = new Map<string, { document: Profile; stream: string; revision: bigint }>()
  for await (const { events } of log.readAll({ filter: { prefixes: profiles.streams } })) {
    for (const event of events.map(toRecorded)) {
      const { stream, revision } = event
      const key = profiles.key(event)
      const before = key === null ? null : (documents.get(key)?.document ?? null)
      const document = profiles.evolve(before, event)
      if (key !== null && document !== null) documents.set(key, { document, stream, revision })
    }
  }
  await log.close()
  return [...documents].map(([key, { document, stream, revision }], at) => ({
    row: at + 1,
    key,
    name: document.key,
    stream,
    revision,
    json: JSON.stringify(document),
  }))
}

function write(documents: readonly Row[]): number {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma('cache_size = -32000')
  db.pragma('wal_autocheckpoint = 2000')
  db.exec(`
    CREATE TABLE documents (row INTEGER PRIMARY KEY, key TEXT UNIQUE, stream TEXT, revision INTEGER, document TEXT);
    CREATE TABLE by_name (value TEXT, key TEXT, row INTEGER, PRIMARY KEY (value, key)) WITHOUT ROWID;
    CREATE TABLE suffixes (
      suffix TEXT, value TEXT, key TEXT, row INTEGER, PRIMARY KEY (suffix, value, key)
    ) WITHOUT ROWID;
    CREATE TABLE grams (
      gram TEXT, value TEXT, key TEXT, row INTEGER, PRIMARY KEY (gram, value, key)
    ) WITHOUT ROWID;
  `)
  const insertDocument = db.prepare('INSERT INTO documents VALUES (?, ?, ?, ?, ?)')
  const insertName = db.prepare('INSERT INTO by_name VALUES (?, ?, ?)')
  const insertSuffix = db.prepare('INSERT OR IGNORE INTO suffixes VALUES (?, ?, ?, ?)')
  const insertGram = db.prepare('INSERT INTO grams VALUES (?, ?, ?, ?)')

  function writeSorted(insert: Database.Statement, rows: SearchRow[]): void {
    rows.sort((a, b) => (a.text < b.text ? -1 : 1))
    inTransactions(db, rows, rowsPerTransaction, ({ text, name, key, row }) =>
      insert.run(text, name, key, row),
    )
  }

  const started = performance.now()
  inTransactions(db, documents, documentsPerTransaction, ({ row, key, name, stream, revision, json }) => {
    insertDocument.run(row, key, stream, revision, json)
    insertName.run(name, key, row)
  })
  for (let at = 0; at < documents.length; at += documentsSortedAtOnce) {
    const slice = documents.slice(at, at + documentsSortedAtOnce)
    const rowsOf = (textsOf: (name: string) => string[]) =>
      slice.flatMap(({ row, name, key }) => textsOf(name).map(text => ({ text, name, key, row })))
    writeSorted(insertSuffix, rowsOf(suffixesOf))
    writeSorted(insertGram, rowsOf(gramsOf))
  }
  const seconds = (performance.now() - started) / 1000
  db.close()
  return seconds
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

const documents = await readDocuments()
process.on('message', () => process.send?.(write(documents)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
