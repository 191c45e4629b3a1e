import { LRUCache } from 'lru-cache'
import type { RateLimiterAbstract, RateLimiterMemory } from 'rate-limiter-flexible'

/** So many times within a window is a count told to the others, and brought up to theirs. */
const timesShared = 20
/** Of so many who do something within a window, what is not told yet is remembered: each takes some hundred bytes. */
const mostRemembered = 50_000

/**
 * A counter that counts in memory, at once, and tells the other processes in the background of every so many: the limit
 * is theirs together, within a twentieth of it for each. While they cannot be told, each counts by itself.
 */
export function createPartlyShared(
  own: RateLimiterMemory,
  shared: RateLimiterAbstract,
): Pick<RateLimiterAbstract, 'consume' | 'get' | 'delete'> {
  const step = Math.ceil(own.points / timesShared)
  const untold = new LRUCache<string, number>({ max: mostRemembered, ttl: own.duration * 1000 })

  async function tell(key: string, points: number): Promise<void> {
    const theirs = await shared.penalty(key, points)
    const mine = await own.get(key)
    if (!mine || theirs.consumedPoints <= mine.consumedPoints) return
    await own.set(key, theirs.consumedPoints, theirs.msBeforeNext / 1000)
  }

  function noteOne(key: string, isFirst: boolean): void {
    const points = isFirst ? 1 : (untold.get(key) ?? 0) + 1
    if (points < step) {
      untold.set(key, points)
      return
    }
    untold.delete(key)
    // It is insured by the own count.
    tell(key, points).catch(() => {})
  }

  return {
    get: key => own.get(key),
    async delete(key) {
      untold.delete(String(key))
      const deleted = await Promise.all([own.delete(key), shared.delete(key)])
      return deleted.includes(true)
    },
    async consume(key) {
      const standing = await own.consume(key)
      noteOne(String(key), standing.isFirstInDuration)
      return standing
    },
  }
}
