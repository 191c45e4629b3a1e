import { LRUCache } from 'lru-cache'
import type { Generation, SearchPage, SearchPlace } from './read-store.ts'
import type { Connection } from './sqlite.ts'
import { afterAllText, tablesOf } from './sqlite-tables.ts'
import { endOfBeginnings, indexedPart, isSearchable } from './suffixes.ts'

type Hit = [value: string, key: string, document: string]
type Bound = string | Buffer
type Place = { value: string; key: string }

/** Fewer hits than this are ordered in memory without a thought. */
const few = 64
/** Up to so many hits are ordered in memory; of more, walking the values in order finds a page soon. */
const many = 2000
const shortWalk = 1000
const longWalk = 20_000
/** Beyond so many hits, a walk through all values is cheaper than to order them. */
const tooManyToOrder = 50_000

/** The SQL of a search, apart from its plan: so that the tests can look at what SQLite makes of it. */
export function searchStatements(generation: Pick<Generation, 'projection' | 'number' | 'searched'>) {
  const { documents, suffixes, index } = tablesOf(generation)
  const values = index(generation.searched ?? '')
  const hits = 'SELECT i.value, i.key, d.document FROM'
  const joined = `CROSS JOIN ${documents} d ON d.key = i.key`
  return {
    /** What comes after a place, up to an end. */
    inOrder: `${hits} ${values} i ${joined}
      WHERE (i.value, i.key) > (?, ?) AND i.value < ? ORDER BY i.value, i.key LIMIT ?`,
    /** Of so many values after a place, up to an end, and after another place, those that contain a text. */
    walk: `${hits} (
        SELECT value, key FROM ${values} WHERE (value, key) > (?, ?) AND value < ?
        UNION ALL SELECT value, key FROM ${values} WHERE (value, key) > (?, ?) ORDER BY value, key LIMIT ?
      ) i ${joined} WHERE instr(i.value, ?) > 0 LIMIT ?`,
    /** What contains a text but does not begin with it, after a place. */
    ordered: `${hits} (
        SELECT DISTINCT value, key FROM ${suffixes}
        WHERE suffix >= ? AND suffix < ? AND (value, key) > (?, ?) AND instr(value, ?) > 0
          AND NOT (value >= ? AND value < ?)
        ORDER BY value, key LIMIT ?
      ) i ${joined}`,
    /** A row if a range of suffixes has more than so many. */
    probe: `SELECT 1 FROM ${suffixes} WHERE suffix >= ? AND suffix < ? LIMIT 1 OFFSET ?`,
  }
}

/** Search by substring; every step reads ranges of indexes. */
export function createSearch<Document>(
  db: Connection,
  generation: Generation,
  parse: (json: string) => Document,
): (text: string, page: { limit: number; after: SearchPlace | null }) => SearchPage<Document> {
  const sql = searchStatements(generation)
  const inOrder = db.prepare<[string, string, Bound, number], Hit>(sql.inOrder).raw()
  const walk = db.prepare<[string, string, Bound, Bound, string, number, string, number], Hit>(sql.walk).raw()
  const ordered = db
    .prepare<[string, Bound, string, string, string, string, Bound, number], Hit>(sql.ordered)
    .raw()
  const probe = db.prepare<[string, Bound, number], number>(sql.probe).pluck()
  // It remembers how to look, never what is found.
  const bestWay = new LRUCache<string, 'walk' | 'order'>({ max: 1000 })

  /** The hits after `from` that do not begin with `text`, in order. */
  function rest(text: string, from: Place, limit: number): Hit[] {
    const end = endBound(text)
    const part = indexedPart(text)
    const partEnd = endBound(part)
    const hasMoreThan = (hits: number) => probe.get(part, partEnd, hits) === 1
    const order = () => ordered.all(part, partEnd, from.value, from.key, text, text, end, limit)
    const go = (steps: number) => {
      // Values that begin with the text are leapt over: there may be very many.
      const beyond = typeof end === 'string' && from.value >= end ? from : { value: end, key: '' }
      return walk.all(from.value, from.key, text, beyond.value, beyond.key, steps, text, limit)
    }

    const way = bestWay.get(text)
    if (way === 'order' || (!way && !hasMoreThan(few))) return order()
    for (const steps of way === 'walk' ? [longWalk] : [shortWalk, longWalk]) {
      const hits = go(steps)
      if (hits.length === limit) {
        bestWay.set(text, 'walk')
        return hits
      }
      if (steps === shortWalk && !hasMoreThan(many)) return order()
    }
    if (hasMoreThan(tooManyToOrder)) return go(-1)
    bestWay.set(text, 'order')
    return order()
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
