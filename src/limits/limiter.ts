import { createHmac } from 'node:crypto'
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterMongo,
  RateLimiterRes,
} from 'rate-limiter-flexible'
import type { SharedCounts } from '../read-store/read-store.ts'
import { createPartlyShared } from './partly-shared.ts'
import type { LimitName, Rule, Rules } from './rules.ts'

/** What is counted: the limit, and whose. */
export type Place = { limit: LimitName; whose: string }

/** How much of a limit is used up, and after how many seconds it starts anew. */
export type Standing = { rule: Rule; used: number; resetSeconds: number }

/** How many more there may be. */
export function left({ rule, used }: Standing): number {
  return Math.max(0, rule.points - used)
}

/** Somebody did something too often. */
export class Throttled extends Error {
  override readonly name = 'Throttled'
  readonly limit: LimitName
  readonly standing: Standing
  constructor(limit: LimitName, standing: Standing) {
    super(`${limit}: expected at most ${standing.rule.points} in ${standing.rule.seconds} s`)
    this.limit = limit
    this.standing = standing
  }
}

export type Limiter = {
  /** Whether there is such a limit. */
  has(limit: LimitName): boolean
  /** Counts one more. Null: there is no such limit. Throws Throttled if that is too many. */
  count(place: Place): Promise<Standing | null>
  /** How many more there may be; Infinity where there is no limit. Throws Throttled if there may be none. */
  left(place: Place): Promise<number>
  /** Begins anew to count, as if nothing had been. */
  forget(place: Place): Promise<void>
  /** A text by which something can be recognised, but not told what it is. */
  digest(text: string): string
}

type LimiterParts = {
  rules: Rules
  /** Null: counts are this process's own. Otherwise they are that only while these are out of reach. */
  shared: SharedCounts | null
  /** What digests are made with: names and addresses are kept nowhere but in memory. */
  key: Buffer
}

/** Counts by the rules, with fixed windows that begin with the first one counted. */
export function createLimiter({ rules, shared, key }: LimiterParts): Limiter {
  const counters = new Map([...rules].map(([name, rule]) => [name, counterOf(name, rule, shared)]))

  const keyOf = (whose: string) => (shared ? digest(whose) : whose)

  function digest(text: string): string {
    return createHmac('sha256', key).update(text).digest('base64url').slice(0, 22)
  }

  return {
    has: limit => rules.has(limit),

    async count({ limit, whose }) {
      const rule = rules.get(limit)
      const counter = counters.get(limit)
      if (!rule || !counter) return null
      try {
        return standingOf(rule, await counter.consume(keyOf(whose)))
      } catch (error) {
        throw error instanceof RateLimiterRes ? new Throttled(limit, standingOf(rule, error)) : error
      }
    },

    async left({ limit, whose }) {
      const rule = rules.get(limit)
      const counter = counters.get(limit)
      if (!rule || !counter) return Number.POSITIVE_INFINITY
      const found = await counter.get(keyOf(whose))
      if (!found) return rule.points
      const standing = standingOf(rule, found)
      if (left(standing) === 0) throw new Throttled(limit, standing)
      return left(standing)
    },

    async forget({ limit, whose }) {
      await counters.get(limit)?.delete(keyOf(whose))
    },

    digest,
  }
}

/** Searches are many and cost less than to ask another machine, so they are shared now and then. */
const oftenCounted: ReadonlySet<LimitName> = new Set(['searches-per-address'])

function counterOf(
  name: LimitName,
  { points, seconds: duration }: Rule,
  shared: SharedCounts | null,
): Pick<RateLimiterAbstract, 'consume' | 'get' | 'delete'> {
  const options = { points, duration, keyPrefix: name }
  const own = new RateLimiterMemory(options)
  if (!shared) return own
  const theirs = {
    storeClient: { collection: () => shared },
    tableName: 'limits',
    disableIndexesCreation: true,
  }
  if (oftenCounted.has(name)) return createPartlyShared(own, new RateLimiterMongo({ ...options, ...theirs }))
  return new RateLimiterMongo({ ...options, ...theirs, insuranceLimiter: own })
}

function standingOf(rule: Rule, { consumedPoints: used, msBeforeNext }: RateLimiterRes): Standing {
  return { rule, used, resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) }
}
