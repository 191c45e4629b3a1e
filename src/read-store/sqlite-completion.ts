import type { CompleteSearch } from './read-store.ts'
import type { Ledger } from './sqlite-books.ts'
import type { Entries } from './sqlite-entries.ts'
import type { Session } from './sqlite-session.ts'
import { indexedPart } from './suffixes.ts'

/** A document under one value of an index. */
export type Entry = { value: string; key: string }
/** A row for search: a part of the value of `entry`. */
type PartRow = { part: string; entry: Entry }

type ScanDocuments = (
  after: string,
  limit: number,
) => [key: string, stream: string, revision: number, document: string | null][]

const documentsPerSlice = 25_000
const documentsPerStep = 2000
const rowsPerTransaction = 4000

/**
 * Writes the rows by which many documents are found. Written document by document they would fall anywhere in their
 * tables, and each transaction would touch most of the pages; nearly in order this is several times faster.
 */
export async function completeEntries<Document>(
  { read, write }: Session,
  ledger: Ledger,
  { follower, held, belongs, signal }: CompleteSearch,
  scan: ScanDocuments,
  entries: Entries<Document>,
  parse: (json: string) => Document,
): Promise<number[]> {
  /** The partitions lost, if any: then the rest was not written. */
  async function insertAll<Row>(rows: Iterable<Row[]>, insert: (row: Row) => void): Promise<number[]> {
    for (const some of rows) {
      if (signal.aborted) return []
      const lost = await write(() => {
        const gone = ledger.lost(follower, held)
        if (gone.length === 0) for (const row of some) insert(row)
        return gone
      })
      if (lost.length > 0) return lost
      await nextTurn()
    }
    return []
  }

  let after = ''
  for (let finished = false; !finished && !signal.aborted; ) {
    const slice = entries.indexes.map((): Entry[] => [])
    for (let count = 0; count < documentsPerSlice && !finished && !signal.aborted; ) {
      const rows = await read(() => scan(after, documentsPerStep))
      for (const [key, stream, , json] of rows) {
        if (json === null || !belongs(stream)) continue
        const document = parse(json)
        for (const [at, { valueIn }] of entries.indexes.entries()) {
          const value = valueIn(document)
          if (value !== null) slice[at]?.push({ value, key })
        }
      }
      count += rows.length
      finished = rows.length < documentsPerStep
      after = rows.at(-1)?.[0] ?? after
      await nextTurn()
    }
    for (const [at, index] of entries.indexes.entries()) {
      const found = slice[at] ?? []
      const lost = await insertAll(ordered(found), index.insert)
      if (lost.length > 0) return lost
      const { searched, suffixes, grams } = entries
      if (index !== searched || !suffixes || !grams) continue
      const toSuffixes = ({ part, entry }: PartRow) => suffixes.insert(part, entry)
      const toGrams = ({ part, entry }: PartRow) => grams.insert(part, entry)
      const lostLater = await insertAll(nearlyOrderedSuffixes(found), toSuffixes)
      if (lostLater.length > 0) return lostLater
      const lostLast = await insertAll(orderedParts(found, grams.partsOf), toGrams)
      if (lostLast.length > 0) return lostLast
    }
  }
  return []
}

function* ordered(entries: Entry[]): Generator<Entry[]> {
  entries.sort((a, b) => (a.value < b.value ? -1 : 1))
  for (let from = 0; from < entries.length; from += rowsPerTransaction) {
    yield entries.slice(from, from + rowsPerTransaction)
  }
}

/** All parts of entries that are in order, in the order of parts and entries. */
function* orderedParts(
  entries: readonly Entry[],
  partsOf: (value: string) => string[],
): Generator<PartRow[]> {
  const byPart = new Map<string, Entry[]>()
  for (const entry of entries) {
    for (const part of partsOf(entry.value)) {
      const some = byPart.get(part)
      if (some) some.push(entry)
      else byPart.set(part, [entry])
    }
  }
  let rows: PartRow[] = []
  for (const part of [...byPart.keys()].sort()) {
    for (const entry of byPart.get(part) ?? []) rows.push({ part, entry })
    if (rows.length < rowsPerTransaction) continue
    yield rows
    rows = []
  }
  yield rows
}

/** All suffixes, in the order of their first two bytes. */
function* nearlyOrderedSuffixes(entries: readonly Entry[]): Generator<PartRow[]> {
  const text = Buffer.from(entries.map(entry => entry.value).join(''))
  const isStart = (at: number) => ((text[at] ?? 0) & 0xc0) !== 0x80
  const bucketOf = (at: number, end: number) =>
    ((text[at] ?? 0) << 8) | (at + 1 < end ? (text[at + 1] ?? 0) : 0)

  const ends = new Uint32Array(entries.length)
  const places = new Uint32Array(0x10001)
  let length = 0
  for (const [owner, { value }] of entries.entries()) {
    const begin = length
    length += Buffer.byteLength(value)
    ends[owner] = length
    for (let at = begin; at < length; at++) if (isStart(at)) increase(places, bucketOf(at, length) + 1, 1)
  }
  for (let bucket = 1; bucket < places.length; bucket++) increase(places, bucket, places[bucket - 1] ?? 0)

  const total = places.at(-1) ?? 0
  const starts = new Uint32Array(total)
  const owners = new Uint32Array(total)
  for (let owner = 0, at = 0; owner < entries.length; owner++) {
    for (const end = ends[owner] ?? 0; at < end; at++) {
      if (!isStart(at)) continue
      const place = increase(places, bucketOf(at, end), 1) - 1
      starts[place] = at
      owners[place] = owner
    }
  }
  for (let from = 0; from < total; from += rowsPerTransaction) {
    const rows: PartRow[] = []
    for (let place = from; place < Math.min(total, from + rowsPerTransaction); place++) {
      const owner = owners[place] ?? 0
      const entry = entries[owner]
      if (entry) rows.push({ part: indexedPart(text.toString('utf8', starts[place], ends[owner])), entry })
    }
    yield rows
  }
}

function increase(counts: Uint32Array, at: number, by: number): number {
  const sum = (counts[at] ?? 0) + by
  counts[at] = sum
  return sum
}

const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))
