import type { Collection } from 'mongodb'
import { isDuplicateKey, NoAnswer, within } from './mongodb-failures.ts'
import type { SharedCounts } from './read-store.ts'

/** How often something was done, until `expire`; then a TTL index removes it. */
export type CountRow = { _id: string; points: number; expire: Date | null }

/** After so long without an answer counts are not asked for, for so long: whoever needs one goes on without. */
export type CountTiming = { countMs: number; countPauseMs: number }

export async function prepareCounts(counts: Collection<CountRow>): Promise<void> {
  await counts.createIndex({ expire: 1 }, { expireAfterSeconds: 0 })
}

/** What RateLimiterMongo asks for; its `key` is our `_id`. */
type Filter = { key: string }
type Content = Omit<CountRow, '_id'>
type Upsert =
  | { $inc: Pick<Content, 'points'>; $setOnInsert: Pick<Content, 'expire'> }
  | { $inc?: never; $set: Content }

/**
 * The collection as RateLimiterMongo uses it. Its upserts are done as an update and, where there was nothing, an insert:
 * two upserts that meet are told in different ways by different servers. FerretDB 2.7 says code 1, and meets in deadlocks
 * where anything but `_id` is unique.
 */
export function createCounts(
  session: { run<T>(what: string, work: () => Promise<T>): Promise<T> },
  counts: Collection<CountRow>,
  { countMs, countPauseMs }: CountTiming,
): SharedCounts {
  let pauseEnds = Number.NEGATIVE_INFINITY

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (performance.now() < pauseEnds) throw new NoAnswer('no answer a moment ago')
    try {
      return await within(countMs, session.run('counting', work))
    } catch (error) {
      if (error instanceof NoAnswer) pauseEnds = performance.now() + countPauseMs
      throw error
    }
  }

  async function upsert(filter: Filter, wanted: Upsert): Promise<Content> {
    const { $inc } = wanted
    const { points, expire } = $inc ? { ...$inc, ...wanted.$setOnInsert } : wanted.$set
    const change = $inc ? { $inc: { points } } : { $set: { points, expire } }
    const update = () => counts.findOneAndUpdate(toOurs(filter), change, { returnDocument: 'after' })
    const found = await update()
    if (found) return found
    try {
      await counts.insertOne({ _id: filter.key, points, expire })
      return { points, expire }
    } catch (error) {
      const row = isDuplicateKey(error) ? await update() : null
      if (row) return row
      throw error
    }
  }

  return {
    async findOneAndUpdate(filter, wanted: Upsert) {
      // A duplicate goes past `run`, which knows none, to RateLimiterMongo, which does.
      const outcome = await run(() => upsert(filter, wanted).catch(duplicateOrThrow))
      if (outcome instanceof Error) throw outcome
      return outcome
    },
    findOne: filter => run(() => counts.findOne(toOurs(filter))),
    deleteOne: filter => run(() => counts.deleteOne(toOurs(filter))),
  }
}

function toOurs({ key: _id, ...more }: Filter) {
  return { _id, ...more }
}

function duplicateOrThrow(error: unknown): Error {
  if (error instanceof Error && isDuplicateKey(error)) return error
  throw error
}
