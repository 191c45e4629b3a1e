import type { JsonObject } from '../event-store/event-store.ts'
import type { FoundBy } from '../projector/projection.ts'
import { perIndex } from './per-index.ts'
import {
  type AtRevision,
  type Documents,
  type Generation,
  generationFollower,
  type StoredDocument,
} from './read-store.ts'
import type { Ledger } from './sqlite-books.ts'
import { completeEntries } from './sqlite-completion.ts'
import { createEntries } from './sqlite-entries.ts'
import { createIndexCheck } from './sqlite-index-check.ts'
import { createSearch } from './sqlite-search.ts'
import type { Session } from './sqlite-session.ts'
import { afterAllText, tablesOf } from './sqlite-tables.ts'

type Bound = string | Buffer
type Row = [row: number, key: string, stream: string, revision: number, document: string | null]
type RowAt = [revision: number, document: string | null]

/** So that neither the store's lock nor the event loop is held for long. */
const eventsPerBatch = 250

/** Undoes a transaction whose leases are lost, and says which. */
class Lost {
  readonly partitions: number[]
  constructor(partitions: number[]) {
    this.partitions = partitions
  }
}

/** The SQL that reads documents: so that the tests can look at what SQLite makes of it. */
export function documentStatements(generation: Pick<Generation, 'projection' | 'number'>) {
  const { documents, index } = tablesOf(generation)
  const found = (name: string) =>
    `SELECT i.value, i.key, d.document FROM ${index(name)} i CROSS JOIN ${documents} d ON d.row = i.row`
  return {
    select: `SELECT * FROM ${documents} WHERE key = ?`,
    selectDocument: `SELECT document FROM ${documents} WHERE key = ?`,
    selectAt: `SELECT revision, document FROM ${documents} WHERE key = ?`,
    selectRevision: `SELECT revision FROM ${documents} WHERE key = ?`,
    scan: `SELECT * FROM ${documents} WHERE key > ? ORDER BY key LIMIT +?`,
    byValue: (name: string) =>
      `SELECT d.document FROM ${index(name)} i CROSS JOIN ${documents} d ON d.row = i.row
       WHERE i.value = ? ORDER BY i.key LIMIT 100`,
    byValueAt: (name: string) =>
      `SELECT d.revision, d.document FROM ${index(name)} i CROSS JOIN ${documents} d ON d.row = i.row
       WHERE i.value = ? ORDER BY i.key LIMIT 1`,
    ascending: (name: string) =>
      `${found(name)} WHERE (i.value, i.key) > (?, ?) AND i.value <= ? ORDER BY i.value, i.key LIMIT +?`,
    descending: (name: string) =>
      `${found(name)} WHERE (i.value, i.key) < (?, ?) AND i.value >= ? ORDER BY i.value DESC, i.key DESC LIMIT +?`,
  }
}

/** The documents of a generation whose tables are there. */
export function createDocuments<Document extends JsonObject, Index extends string>(
  session: Session,
  ledger: Ledger,
  generation: Generation,
  foundBy: FoundBy<Document, Index>,
): Documents<Document, Index> {
  const { db, read, answer, write } = session
  const { documents } = tablesOf(generation)
  const parse = (json: string): Document => JSON.parse(json)

  const sql = documentStatements(generation)
  const select = db.prepare<[string], Row>(sql.select).raw()
  const selectDocument = db.prepare<[string], string | null>(sql.selectDocument).pluck()
  const selectAt = db.prepare<[string], RowAt>(sql.selectAt).raw()
  const selectRevision = db.prepare<[string], number>(sql.selectRevision).pluck()
  const scan = db.prepare<[string, number], Row>(sql.scan).raw()
  const insert = db.prepare(`INSERT INTO ${documents} VALUES (NULL, ?, ?, ?, ?)`)
  const update = db.prepare(`UPDATE ${documents} SET stream = ?, revision = ?, document = ? WHERE row = ?`)
  const remove = db.prepare<[number]>(`DELETE FROM ${documents} WHERE row = ?`)
  const selectLastRow = db.prepare<[], number | null>(`SELECT max(row) FROM ${documents}`).pluck()
  const entries = createEntries(db, generation, foundBy)
  const search = generation.searched === null ? null : createSearch(db, generation, parse)

  const selectByValue = perIndex((name: Index) => db.prepare<[string], string>(sql.byValue(name)).pluck())
  const selectByValueAt = perIndex((name: Index) => db.prepare<[string], RowAt>(sql.byValueAt(name)).raw())
  const selectInOrder = perIndex((name: Index) => {
    type Parameters = [value: Bound, key: Bound, end: Bound, limit: number]
    const inOrder = (order: string) =>
      db.prepare<Parameters, [value: string, key: string, document: string]>(order).raw()
    return { ascending: inOrder(sql.ascending(name)), descending: inOrder(sql.descending(name)) }
  })

  function stored([, key, stream, revision, document]: Row): StoredDocument<Document> {
    return { key, stream, revision: BigInt(revision), document: document === null ? null : parse(document) }
  }

  function at(row: RowAt | undefined): AtRevision<Document> | null {
    if (row === undefined || row[1] === null) return null
    return { revision: BigInt(row[0]), document: parse(row[1]) }
  }

  function readAll(
    keys: readonly string[],
    rows = new Map<string, number>(),
  ): Map<string, StoredDocument<Document>> {
    const found = new Map<string, StoredDocument<Document>>()
    for (const key of keys) {
      const row = select.get(key)
      if (!row) continue
      found.set(key, stored(row))
      rows.set(key, row[0])
    }
    return found
  }

  /** Returns the document's row, a new one if it had none. */
  function store(row: number | undefined, { key, stream, revision, document }: StoredDocument<Document>) {
    const json = document === null ? null : JSON.stringify(document)
    if (row === undefined) return Number(insert.run(key, stream, revision, json).lastInsertRowid)
    update.run(stream, revision, json, row)
    return row
  }

  /** Writes those whose stored revision is lower. */
  function putAll(
    documents: readonly StoredDocument<Document>[],
    stored: { before: ReadonlyMap<string, StoredDocument<Document>>; rows: ReadonlyMap<string, number> },
    searchLater: boolean,
  ): void {
    for (const after of documents) {
      const { key } = after
      const before = stored.before.get(key)
      if (before && before.revision >= after.revision) continue
      const row = store(stored.rows.get(key), after)
      entries.change({ key, row }, before?.document ?? null, after.document, searchLater)
    }
  }

  function look(key: string): { key: string; row: number; document: Document } | null {
    const [row, , , , json] = select.get(key) ?? []
    return row === undefined || !json ? null : { key, row, document: parse(json) }
  }

  return {
    batchSize: eventsPerBatch,

    get: key =>
      answer(() => {
        const json = selectDocument.get(key)
        return json === undefined || json === null ? null : parse(json)
      }),

    find: (name, value) => answer(() => selectByValue(name).all(value).map(parse)),

    getAt: key => answer(() => at(selectAt.get(key))),
    findAt: (name, value) => answer(() => at(selectByValueAt(name).get(value))),

    list: (name, { from, to, direction, limit, after }) =>
      answer(() => {
        const statement = selectInOrder(name)[direction]
        const rows =
          direction === 'ascending'
            ? statement.all(after?.value ?? from ?? '', after?.key ?? '', to ?? afterAllText, limit)
            : statement.all(after?.value ?? to ?? afterAllText, after?.key ?? afterAllText, from ?? '', limit)
        return rows.map(([value, key, document]) => ({ value, key, document: parse(document) }))
      }),

    search: (text, page) =>
      answer(() => {
        if (!search)
          throw new Error(`expected a projection that is searched, ${generation.projection} is not`)
        return search(text, page)
      }),
    scan: ({ limit, after }) => read(() => scan.all(after ?? '', limit).map(stored)),
    read: keys => read(() => readAll(keys)),

    standings: asked =>
      read(() =>
        asked.map(({ key, stream }) => {
          const revision = selectRevision.get(key)
          const parked = ledger.isParked(generationFollower(generation), stream)
          return { revision: revision === undefined ? null : BigInt(revision), parked }
        }),
      ),

    apply: async ({ keys, fold, follower, progress, searchLater }) => {
      try {
        await write(() => {
          const lost = ledger.renew(follower, progress)
          if (lost.length > 0) throw new Lost(lost)
          const rows = new Map<string, number>()
          const before = readAll(keys, rows)
          const { writes, parked } = fold(before)
          putAll(writes, { before, rows }, searchLater)
          for (const stream of parked) ledger.park(stream)
        })
        return []
      } catch (error) {
        if (error instanceof Lost) return error.partitions
        throw error
      }
    },

    completeSearch: options =>
      completeEntries(session, ledger, options, (after, limit) => scan.all(after, limit), entries, parse),

    checkIndexes: async () => {
      const lastRow = (await read(() => selectLastRow.get())) ?? 0
      return createIndexCheck(session, entries, look, lastRow)
    },

    repair: (key, found, right) =>
      write(() => {
        const rows = new Map<string, number>()
        const before = readAll([key], rows).get(key)
        if ((before?.revision ?? null) !== found) return false
        // All anew: whoever changed the document by hand may have changed these, or left what belongs to a removed row.
        const old = rows.get(key)
        if (old !== undefined) entries.change({ key, row: old }, before?.document ?? null, null, false)
        if (right) entries.change({ key, row: store(old, right) }, null, right.document, false)
        else if (old !== undefined) remove.run(old)
        return true
      }),
  }
}
