import { LRUCache } from 'lru-cache'
import type { Collection } from 'mongodb'
import { compareUtf8 } from './compare-utf8.ts'
import { indexField, type StoredRow } from './mongodb-collections.ts'
import {
  beginningWith,
  containing,
  notBeginningWith,
  type Place,
  suffixBeginningWith,
} from './mongodb-filters.ts'
import { suffixIndex, valueIndex } from './mongodb-generations.ts'
import type { SearchPage, SearchPlace } from './read-store.ts'
import { indexedPart, isSearchable } from './suffixes.ts'

/** `json`: null if the document has changed since its place was found. */
type Hit = Place & { json: string | null }

/** Fewer hits than this are ordered here, without asking how many there are. */
const few = 64
/** Up to so many hits are ordered by the server; of more, walking the values in order finds a page soon. */
const many = 2000
const longWalk = 20_000
/** Beyond so many hits, a walk through all values is cheaper than to order them. */
const tooManyToOrder = 50_000

/** Search by substring; every step reads ranges of indexes. */
export function createSearch<Document>(
  rows: Collection<StoredRow>,
  searched: string,
  parse: (json: string) => Document,
): (text: string, page: { limit: number; after: SearchPlace | null }) => Promise<SearchPage<Document>> {
  const field = indexField(searched)
  const inOrder = { [field]: 1, _id: 1 } as const
  const fields = { [field]: 1, json: 1 }
  // It remembers how to look, never what is found.
  const bestWay = new LRUCache<string, 'walk' | 'order'>({ max: 1000, ttl: 60_000 })

  function toHit(row: Pick<StoredRow, '_id' | 'by' | 'json'>): Hit {
    return { value: row.by?.[searched] ?? '', key: row._id, json: row.json ?? null }
  }

  async function beginnings(text: string, after: Place | null, limit: number): Promise<Hit[]> {
    const found = rows.find(beginningWith(field, text, after), { projection: fields })
    return (await found.sort(inOrder).limit(limit).toArray()).map(toHit)
  }

  /** The hits after a place that do not begin with `text`, in order. */
  async function rest(text: string, after: Place | null, limit: number): Promise<Hit[]> {
    const part = indexedPart(text)
    const hit = suffixBeginningWith(part)
    const others = notBeginningWith(field, text, after)
    const whole = part === text ? [] : [containing(field, text)]
    const byIndex = () =>
      rows.find({ $and: [hit, others, ...whole] }, { projection: fields, hint: suffixIndex })
    const hits = (atMost: number) => rows.countDocuments(hit, { limit: atMost, hint: suffixIndex })

    async function order(): Promise<Hit[]> {
      return (await byIndex().sort(inOrder).limit(limit).toArray()).map(toHit)
    }

    /** Looks at so many values at most. */
    async function walk(steps: number | null): Promise<Hit[]> {
      const walked = rows.aggregate<{ _id: string; value: string }>(
        [
          { $match: others },
          { $sort: inOrder },
          ...(steps === null ? [] : [{ $limit: steps }]),
          { $project: { value: `$${field}` } },
          { $match: containing('value', text) },
          { $limit: limit },
        ],
        { hint: valueIndex(searched) },
      )
      const places = await walked.toArray()
      const ids = places.map(({ _id }) => _id)
      const found = await rows.find({ _id: { $in: ids } }, { projection: fields }).toArray()
      const hits = new Map(found.map(row => [row._id, toHit(row)]))
      return places.map(({ _id: key, value }) => {
        const hit = hits.get(key)
        return { value, key, json: hit?.value === value ? hit.json : null }
      })
    }

    const way = bestWay.get(text)
    if (!way) {
      const some = await byIndex()
        .limit(few + 1)
        .toArray()
      if (some.length <= few) return some.map(toHit).sort(byPlace).slice(0, limit)
    }
    if (way === 'order' || (!way && (await hits(many + 1)) <= many)) {
      bestWay.set(text, 'order')
      return order()
    }
    const walked = await walk(longWalk)
    if (walked.length === limit) {
      bestWay.set(text, 'walk')
      return walked
    }
    if ((await hits(tooManyToOrder + 1)) > tooManyToOrder) return walk(null)
    bestWay.set(text, 'order')
    return order()
  }

  return async (text, { limit, after }) => {
    if (!isSearchable(text)) return { documents: [], next: null }
    const inRest = after?.among === 'rest'
    const first = inRest ? [] : await beginnings(text, after, limit + 1)
    const missing = limit + 1 - first.length
    const others = missing > 0 && text !== '' ? await rest(text, inRest ? after : null, missing) : []
    const found = [...first, ...others]
    const shown = found.slice(0, limit)
    const last = found.length > limit ? shown.at(-1) : undefined
    const among = shown.length > first.length ? 'rest' : 'beginnings'
    return {
      documents: shown.flatMap(({ json }) => (json === null ? [] : [parse(json)])),
      next: last ? { among, value: last.value, key: last.key } : null,
    }
  }
}

function byPlace(a: Place, b: Place): number {
  return compareUtf8(a.value, b.value) || compareUtf8(a.key, b.key)
}
