import { LRUCache } from 'lru-cache'
import { compareUtf8 } from './compare-utf8.ts'
import type { Generation, SearchPage, SearchPlace } from './read-store.ts'
import type { Connection } from './sqlite.ts'
import { afterAllText, tablesOf } from './sqlite-tables.ts'
import { endOfBeginnings, gramsOf, indexedPart, isSearchable } from './suffixes.ts'

type Hit = [value: string, key: string, document: string]
type Bound = string | Buffer
type Place = { value: string; key: string }

/** Up to so many hits are ordered in memory without a thought. */
const few = 300
/** So many rows of a list are walked through for a page before the hits are ordered after all. */
const longWalk = 4000
/** So many lists are tried like that. */
const mostLists = 3
/** Beyond so many hits, a walk to the end is cheaper than to order them. */
const tooManyToOrder = 50_000
/** Lists up to this length are short enough. */
const shortList = 1000

/** How to find what does not begin with a text: ordering its hits, or walking through a list that has them. */
type Way = { order: true } | { order: false; gram: string | null }

/**
 * The SQL of a search, apart from its plan: so that the tests can look at what SQLite makes of it. `LIMIT +?` and not
 * `LIMIT ?`, for whose value SQLite would plan the statement anew at each call (90 µs for the longest).
 */
export function searchStatements(generation: Pick<Generation, 'projection' | 'number' | 'searched'>) {
  const { documents, suffixes, grams, index } = tablesOf(generation)
  const values = index(generation.searched ?? '')
  const hits = 'SELECT i.value, i.key, d.document FROM'
  const joined = `CROSS JOIN ${documents} d ON d.row = i.row`
  const walk = (table: string, where: string) => `${hits} (
      SELECT value, key, row FROM ${table} WHERE ${where} (value, key) > (?, ?) AND value < ?
      UNION ALL SELECT value, key, row FROM ${table} WHERE ${where} (value, key) > (?, ?)
      ORDER BY value, key LIMIT +?
    ) i ${joined} WHERE instr(i.value, ?) > 0 LIMIT +?`
  return {
    /** What comes after a place, up to an end. */
    inOrder: `${hits} ${values} i ${joined}
      WHERE (i.value, i.key) > (?, ?) AND i.value < ? ORDER BY i.value, i.key LIMIT +?`,
    /** Of so many values after a place, up to an end, and after another place, those that contain a text. */
    walk: walk(values, ''),
    /** The same among those with a gram. */
    walkGram: walk(grams, 'gram = ? AND'),
    /** What contains a text but does not begin with it, after a place. */
    ordered: `${hits} (
        SELECT DISTINCT value, key, row FROM ${suffixes}
        WHERE suffix >= ? AND suffix < ? AND (value, key) > (?, ?) AND instr(value, ?) > 0
          AND NOT (value >= ? AND value < ?)
        ORDER BY value, key, row LIMIT +?
      ) i ${joined}`,
    /** A row if a range of suffixes has more than so many. */
    probe: `SELECT 1 FROM ${suffixes} WHERE suffix >= ? AND suffix < ? LIMIT 1 OFFSET +?`,
    /** How many values have a gram, up to a limit. */
    count: `SELECT count(*) FROM (SELECT 1 FROM ${grams} WHERE gram = ? LIMIT +?) i`,
  }
}

/** Search by substring; every step reads ranges of indexes. */
export function createSearch<Document>(
  db: Connection,
  generation: Generation,
  parse: (json: string) => Document,
): (text: string, page: { limit: number; after: SearchPlace | null }) => SearchPage<Document> {
  const sql = searchStatements(generation)
  const prepare = <Bounds extends unknown[]>(text: string) => db.prepare<Bounds, Hit>(text).raw()
  type Walk = [string, string, Bound, Bound, string, number, string, number]
  type GramWalk = [string, string, string, Bound, string, Bound, string, number, string, number]
  const inOrder = prepare<[string, string, Bound, number]>(sql.inOrder)
  const walk = prepare<Walk>(sql.walk)
  const walkGram = prepare<GramWalk>(sql.walkGram)
  const ordered = prepare<[string, Bound, string, string, string, string, Bound, number]>(sql.ordered)
  const probe = db.prepare<[string, Bound, number], number>(sql.probe).pluck()
  const count = db.prepare<[string, number], number>(sql.count).pluck()
  // It remembers how to look, never what is found.
  const ways = new LRUCache<string, Way>({ max: 1000, ttl: 60_000 })

  /** The rarest gram of a text, null if it has none. */
  function rarestGram(text: string): string | null {
    let rarest: { gram: string; values: number } | null = null
    for (const gram of gramsOf(text)) {
      const values: number = count.get(gram, rarest?.values ?? shortList) ?? 0
      if (!rarest || values < rarest.values) rarest = { gram, values }
    }
    return rarest?.gram ?? null
  }

  /** The hits after `from` that do not begin with `text`, in order. */
  function rest(text: string, from: Place, limit: number): Hit[] {
    const end = endBound(text)
    const part = indexedPart(text)
    const partEnd = endBound(part)
    const hasMoreThan = (hits: number) => probe.get(part, partEnd, hits) === 1
    const order = () => ordered.all(part, partEnd, from.value, from.key, text, text, end, limit)
    const go = (gram: string | null, steps: number) => {
      // Values that begin with the text are leapt over: there may be very many.
      const isBeyond = typeof end === 'string' && compareUtf8(from.value, end) >= 0
      const [value, key] = isBeyond ? [from.value, from.key] : [end, '']
      return gram === null
        ? walk.all(from.value, from.key, text, value, key, steps, text, limit)
        : walkGram.all(gram, from.value, from.key, text, gram, value, key, steps, text, limit)
    }

    const grams = gramsOf(text)
    // Its list has its hits and nothing else, in order.
    if (grams.includes(text)) return go(text, -1)
    const way =
      ways.get(text) ?? (hasMoreThan(few) ? { order: false, gram: rarestGram(text) } : { order: true })
    ways.set(text, way)
    if (way.order) return order()
    // Where names of one list that are no hits stand together, another list may get past them.
    const lists = [way.gram, ...grams.filter(gram => gram !== way.gram)].slice(0, mostLists)
    for (const gram of lists) {
      const hits = go(gram, longWalk)
      if (hits.length < limit) continue
      if (gram !== way.gram) ways.set(text, { order: false, gram })
      return hits
    }
    return hasMoreThan(tooManyToOrder) ? go(way.gram, -1) : order()
  }

  return (text, { limit, after }) => {
    if (!isSearchable(text)) return { documents: [], next: null }
    const inRest = after?.among === 'rest'
    const start = after ?? { value: text, key: '' }
    const beginnings = inRest ? [] : inOrder.all(start.value, start.key, endBound(text), limit + 1)
    const missing = limit + 1 - beginnings.length
    const others =
      missing > 0 && text !== '' ? rest(text, inRest ? after : { value: '', key: '' }, missing) : []
    const found = [...beginnings, ...others]
    const shown = found.slice(0, limit)
    const last = found.length > limit ? shown.at(-1) : undefined
    const among = shown.length > beginnings.length ? 'rest' : 'beginnings'
    return {
      documents: shown.map(([, , document]) => parse(document)),
      next: last ? { among, value: last[0], key: last[1] } : null,
    }
  }
}

function endBound(text: string): Bound {
  return endOfBeginnings(text) ?? afterAllText
}
