import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../event-store/event-store.ts'
import type { FoundBy } from '../projector/projection.ts'
import { askTogether } from './ask-together.ts'
import { compareUtf8 } from './compare-utf8.ts'
import type { Books } from './mongodb-books.ts'
import { type Collections, indexField, type StoredRow } from './mongodb-collections.ts'
import type { Session } from './mongodb-connection.ts'
import { inRange } from './mongodb-filters.ts'
import type { Generations } from './mongodb-generations.ts'
import type { Leases } from './mongodb-leases.ts'
import { createSearch } from './mongodb-search.ts'
import { createToRow, repairGuarded, writeGuarded } from './mongodb-writes.ts'
import { perIndex } from './per-index.ts'
import {
  type ApplyBatch,
  type AtRevision,
  type Documents,
  type Generation,
  generationFollower,
  type ParkedStream,
  type StoredDocument,
} from './read-store.ts'

const mostFound = 100
/** So that no call takes long. */
const rowsPerCall = 512
/** A server works at one call of a connection at a time, so a batch is written by several, none of them too small. */
const callsAtOnce = 4
const fewestRowsPerCall = 32
const rowsAtOnce = rowsPerCall * callsAtOnce

/** What a read store in MongoDB is made of. */
export type Parts = {
  collections: Collections
  books: Books
  leases: Leases
  generations: Generations
}

/** The documents of a generation. */
export function createDocuments<Document extends JsonObject, Index extends string>(
  { run }: Pick<Session, 'run'>,
  { collections, books, leases, generations }: Parts,
  generation: Generation,
  foundBy: FoundBy<Document, Index>,
): Documents<Document, Index> {
  const rows = collections.documents(generation)
  const name = generationFollower(generation)
  const parse = (json: string): Document => JSON.parse(json)
  const toRow = createToRow(foundBy)
  const search = generation.searched === null ? null : createSearch(rows, generation.searched, parse)

  function stored({ _id, stream, revision, json }: StoredRow): StoredDocument<Document> {
    return { key: _id, stream, revision: BigInt(revision), document: json === undefined ? null : parse(json) }
  }
  function at(row: Pick<StoredRow, 'revision' | 'json'> | null): AtRevision<Document> | null {
    return row?.json === undefined ? null : { revision: BigInt(row.revision), document: parse(row.json) }
  }
  /** Null for a document that somebody changed so that nothing finds it. */
  function shouldBe(row: StoredRow): StoredRow | null {
    try {
      return toRow(stored(row))
    } catch {
      return null
    }
  }
  const storedFields = { stream: 1, revision: 1, json: 1 }

  /** Whole rows if nothing is said of fields. */
  async function rowsOf(
    keys: readonly string[],
    fields: Partial<Record<keyof StoredRow, number>> = {},
  ): Promise<StoredRow[]> {
    const found: StoredRow[] = []
    for (const some of chunks(keys)) {
      const query = () => rows.find({ _id: { $in: some } }, { projection: fields }).toArray()
      found.push(...(await run(`reading ${name}`, query)))
    }
    return found
  }

  async function readAll(keys: readonly string[]): Promise<Map<string, StoredDocument<Document>>> {
    const found = await rowsOf(keys, storedFields)
    return new Map(found.map(row => [row._id, stored(row)]))
  }

  const findFirst = perIndex((index: Index) => askTogether(mostFound, values => firstOfEach(index, values)))

  /** By value, the first of the documents that have it, in the order of their keys. */
  async function firstOfEach(
    index: Index,
    values: readonly string[],
  ): Promise<Map<string, AtRevision<Document>>> {
    const field = indexField(index)
    // In one batch, for which a server need not keep a cursor.
    const options = { projection: { revision: 1, json: 1, [field]: 1 }, singleBatch: true }
    const query = () => rows.find({ [field]: { $in: values } }, options)
    const found = await run(`finding in ${name}`, async () => {
      // Most often each has one, which needs no order.
      const some = await query()
        .limit(values.length + 1)
        .toArray()
      if (values.length > 1 || some.length < 2) return some
      return query().sort({ _id: 1 }).limit(1).toArray()
    })
    if (found.length > values.length) {
      const each = await Promise.all(values.map(value => firstOfEach(index, [value])))
      return new Map(each.flatMap(first => [...first]))
    }
    const firsts = new Map<string, AtRevision<Document>>()
    for (const row of found.toSorted((a, b) => compareUtf8(a._id, b._id))) {
      const value = row.by?.[index]
      const first = at(row)
      if (value !== undefined && first !== null && !firsts.has(value)) firsts.set(value, first)
    }
    return firsts
  }

  /** Returns what is parked; null if something is stored for one of the new keys, which must be known first. */
  async function write(
    keys: readonly string[],
    newKeys: ReadonlySet<string>,
    fold: ApplyBatch<Document>['fold'],
  ): Promise<readonly ParkedStream[] | null> {
    const before = await readAll(keys.filter(key => !newKeys.has(key)))
    const { writes, parked } = fold(before)
    const newer = writes.filter(({ key, revision }) => (before.get(key)?.revision ?? -1n) < revision)
    const known = {
      isKnown: (key: string) => before.has(key),
      isAssumed: (key: string) => newKeys.has(key),
    }
    let isAsAssumed = true
    for (const some of chunks(newer, rowsAtOnce)) {
      const calls = Array.from(shares(some), share =>
        run(`writing ${name}`, () => writeGuarded(rows, share.map(toRow), known)),
      )
      // What is tried again after a failure must not meet what still goes on.
      await Promise.allSettled(calls)
      if ((await Promise.all(calls)).includes(true)) isAsAssumed = false
    }
    return isAsAssumed ? parked : null
  }

  return {
    batchSize: rowsAtOnce,

    get: async key => {
      const row = await run(`reading ${name}`, () =>
        rows.findOne({ _id: key }, { projection: { _id: 0, json: 1 } }),
      )
      return row?.json === undefined ? null : parse(row.json)
    },

    find: async (index, value) => {
      const query = () => rows.find({ [indexField(index)]: { $eq: value } }, { projection: { json: 1 } })
      const found = await run(`finding in ${name}`, async () => {
        // Most often it is one document, which needs no order.
        const some = await query()
          .limit(mostFound + 1)
          .toArray()
        if (some.length <= mostFound) return some.sort((a, b) => compareUtf8(a._id, b._id))
        return query().sort({ _id: 1 }).limit(mostFound).toArray()
      })
      return found.flatMap(({ json }) => (json === undefined ? [] : [parse(json)]))
    },

    getAt: async key => {
      const projection = { _id: 0, revision: 1, json: 1 }
      return at(await run(`reading ${name}`, () => rows.findOne({ _id: key }, { projection })))
    },

    findAt: (index, value) => findFirst(index)(value),

    list: async (index, range) => {
      const field = indexField(index)
      const order = range.direction === 'ascending' ? 1 : -1
      const query = rows.find(inRange(field, range), { projection: { [field]: 1, json: 1 } })
      const found = await run(`listing ${name}`, () =>
        query
          .sort({ [field]: order, _id: order })
          .limit(range.limit)
          .toArray(),
      )
      return found.flatMap(({ _id: key, by, json }) => {
        const value = by?.[index]
        return value === undefined || json === undefined ? [] : [{ value, key, document: parse(json) }]
      })
    },

    search: async (text, page) => {
      if (!search) throw new Error(`expected a projection that is searched, ${generation.projection} is not`)
      return run(`searching ${name}`, () => search(text, page))
    },

    scan: async ({ limit, after }) => {
      const query = rows.find(after === null ? {} : { _id: { $gt: after } }, { projection: storedFields })
      return (await run(`reading ${name}`, () => query.sort({ _id: 1 }).limit(limit).toArray())).map(stored)
    },

    read: readAll,

    standings: async asked => {
      const keys = asked.map(({ key }) => key)
      const streams = asked.map(({ stream }) => stream)
      const [found, parked] = await run(`reading ${name}`, () =>
        Promise.all([
          rows.find({ _id: { $in: keys } }, { projection: { revision: 1 } }).toArray(),
          books.parkedAmong(name, streams),
        ]),
      )
      const revisions = new Map(found.map(({ _id, revision }) => [_id, BigInt(revision)]))
      return asked.map(({ key, stream }) => ({
        revision: revisions.get(key) ?? null,
        parked: parked.has(stream),
      }))
    },

    apply: async ({ keys, newKeys = new Set<string>(), fold, follower, progress }) => {
      const parked = (await write(keys, newKeys, fold)) ?? (await write(keys, new Set(), fold)) ?? []
      return run(`moving the checkpoints of ${follower}`, async () => {
        if (parked.length > 0) {
          // A worker that was paused since it had the leases must not park what another has applied meanwhile.
          const gone = await leases.lost(follower, progress)
          if (gone.length > 0) return gone
          await books.park(parked)
        }
        const lost = await leases.renew(follower, progress)
        // Written after the generation was dropped, documents make a collection that nobody knows of.
        if (lost.length > 0) await generations.dropStrays()
        return lost
      })
    },

    // Rows are found by search as soon as they are written.
    completeSearch: ({ follower, held }) =>
      run(`reading the leases of ${follower}`, () => leases.lost(follower, held)),

    checkIndexes: async () => ({
      async unfindable(keys) {
        const found = await rowsOf(keys)
        return found.filter(row => !isFindable(row, shouldBe(row))).map(({ _id }) => _id)
      },
      // What a document is found by is part of it.
      async *strays() {},
    }),

    repair: (key, found, right) =>
      run(`writing ${name}`, () => repairGuarded(rows, { key, found, right: right && toRow(right) })),
  }
}

/** Whether a row has what it is found by as it should have it. */
function isFindable(row: StoredRow, right: StoredRow | null): boolean {
  return isDeepStrictEqual(row.by, right?.by) && isDeepStrictEqual(row.suffixes, right?.suffixes)
}

/** As many parts as are written at once. */
function shares<T>(all: readonly T[]): Iterable<T[]> {
  return chunks(all, Math.max(fewestRowsPerCall, Math.ceil(all.length / callsAtOnce)))
}

function* chunks<T>(all: readonly T[], size = rowsPerCall): Generator<T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}
