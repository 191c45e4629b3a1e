import type { CompleteSearch, Generation } from './read-store.ts'
import type { Ledger } from './sqlite-books.ts'
import type { Session } from './sqlite-session.ts'
import { tablesOf } from './sqlite-tables.ts'
import { indexedPart } from './suffixes.ts'

type Named = { value: string; key: string }
type Source = {
  scan(
    after: string,
    limit: number,
  ): [key: string, stream: string, revision: number, document: string | null][]
  valueIn(json: string): string | null
}

const documentsPerSlice = 100_000
const documentsPerStep = 2000
const rowsPerTransaction = 4000

/**
 * Writes the suffix rows of many documents. Written document by document they would fall anywhere in the table, and
 * each transaction would touch most of its pages; nearly in their order this is several times faster.
 */
export async function completeSuffixes(
  { db, read, write }: Session,
  ledger: Ledger,
  generation: Generation,
  { follower, held, belongs, signal }: CompleteSearch,
  source: Source,
): Promise<number[]> {
  if (generation.searched === null) return []
  const insert = db.prepare<[string, string, string]>(
    `INSERT OR IGNORE INTO ${tablesOf(generation).suffixes} VALUES (?, ?, ?)`,
  )
  let after = ''
  for (let finished = false; !finished; ) {
    const slice: Named[] = []
    while (slice.length < documentsPerSlice && !finished && !signal.aborted) {
      const rows = await read(() => source.scan(after, documentsPerStep))
      for (const [key, stream, , json] of rows) {
        const value = json !== null && belongs(stream) ? source.valueIn(json) : null
        if (value !== null) slice.push({ value, key })
      }
      finished = rows.length < documentsPerStep
      after = rows.at(-1)?.[0] ?? after
      await nextTurn()
    }
    for (const rows of nearlyOrderedSuffixes(slice)) {
      if (signal.aborted) return []
      const lost = await write(() => {
        const gone = ledger.lost(follower, held)
        if (gone.length === 0) for (const [suffix, { value, key }] of rows) insert.run(suffix, value, key)
        return gone
      })
      if (lost.length > 0) return lost
      await nextTurn()
    }
  }
  return []
}

/** All suffixes, in the order of their first two bytes. */
function* nearlyOrderedSuffixes(names: readonly Named[]): Generator<[suffix: string, of: Named][]> {
  const text = Buffer.from(names.map(name => name.value).join(''))
  const starts = new Uint32Array(text.length)
  const owners = new Uint32Array(text.length)
  const counts = new Uint32Array(0x10001)
  const isStart = (at: number) => ((text[at] ?? 0) & 0xc0) !== 0x80
  const bucket = (at: number, end: number) =>
    ((text[at] ?? 0) << 8) | (at + 1 < end ? (text[at + 1] ?? 0) : 0)

  const ends = new Uint32Array(names.length)
  let end = 0
  for (const [owner, { value }] of names.entries()) {
    const begin = end
    end += Buffer.byteLength(value)
    ends[owner] = end
    for (let at = begin; at < end; at++) if (isStart(at)) increment(counts, bucket(at, end) + 1)
  }
  for (let at = 1; at < counts.length; at++) increment(counts, at, counts[at - 1])
  const total = counts.at(-1) ?? 0
  for (let owner = 0, at = 0; owner < names.length; owner++) {
    for (const stop = ends[owner] ?? 0; at < stop; at++) {
      if (!isStart(at)) continue
      const place = increment(counts, bucket(at, stop)) - 1
      starts[place] = at
      owners[place] = owner
    }
  }
  for (let from = 0; from < total; from += rowsPerTransaction) {
    const rows: [string, Named][] = []
    for (let place = from; place < Math.min(total, from + rowsPerTransaction); place++) {
      const owner = owners[place] ?? 0
      const name = names[owner]
      if (name) rows.push([indexedPart(text.toString('utf8', starts[place], ends[owner])), name])
    }
    yield rows
  }
}

function increment(counts: Uint32Array, at: number, by = 1): number {
  const sum = (counts[at] ?? 0) + by
  counts[at] = sum
  return sum
}

const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))
