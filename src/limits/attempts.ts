import { Overloaded } from '../account/domain-error.ts'
import { type Limiter, left, type Place, type Standing, Throttled } from './limiter.ts'

export type Attempts = ReturnType<typeof createAttempts>

/** Too many wait for a turn in one place, or one waited for too long. */
export class NoTurn extends Overloaded {}

/** `ended` counts those that are over; `asking` how many ask for a turn. */
type UnderWay = { count: number; ended: number; asking: number; waiting: Set<() => void> }

/** How many attempts in one place may wait for those under way. */
const mostWaiting = 64

/**
 * Counts attempts that failed. So many are under way at once as may still fail, and the others wait: a burst cannot fail
 * more often than one attempt after the other.
 */
export function createAttempts(limiter: Limiter) {
  const underWay = new Map<string, UnderWay>()

  /** Waits for a turn, which is to be given back. Throws Throttled, and NoTurn. */
  async function turn(place: Place, deadline: number): Promise<() => void> {
    const key = `${place.limit} ${place.whose}`
    const there = underWay.get(key) ?? { count: 0, ended: 0, asking: 0, waiting: new Set() }
    underWay.set(key, there)
    there.asking += 1
    try {
      for (;;) {
        const { ended } = there
        const may = await limiter.left(place)
        // One that ended while this was asked may have been counted since.
        const isKnown = there.ended === ended
        if (isKnown && there.count < may) {
          there.count += 1
          return () => giveBack(key, there)
        }
        if (there.waiting.size >= mostWaiting || performance.now() > deadline) {
          throw new NoTurn(`${there.waiting.size} attempts wait for those under way`)
        }
        if (isKnown) await new Promise<void>(resolve => there.waiting.add(resolve))
      }
    } finally {
      there.asking -= 1
      forgetIfIdle(key, there)
    }
  }

  function giveBack(key: string, there: UnderWay): void {
    there.count -= 1
    there.ended += 1
    for (const wake of there.waiting) wake()
    there.waiting.clear()
    forgetIfIdle(key, there)
  }

  function forgetIfIdle(key: string, { count, asking }: UnderWay): void {
    if (count + asking === 0) underWay.delete(key)
  }

  /** A turn in each place, one after the other; none if one of them has none. */
  async function turns(places: readonly Place[], deadline: number): Promise<() => void> {
    const taken: (() => void)[] = []
    const giveAllBack = () => {
      for (const giveOneBack of taken) giveOneBack()
    }
    try {
      for (const place of places) taken.push(await turn(place, deadline))
      return giveAllBack
    } catch (error) {
      giveAllBack()
      throw error
    }
  }

  return {
    /**
     * Makes an attempt, and counts it in all of the places if it fails in the way that counts; `failed` is told how the
     * place stands that has the least left. Without an attempt it throws Throttled if there may be none in one of them, and NoTurn.
     */
    async make<T>(
      places: readonly Place[],
      attempt: () => Promise<T>,
      {
        counts,
        failed,
        deadline,
      }: {
        counts(error: unknown): boolean
        failed(standing: Standing | null): void
        deadline: number
      },
    ): Promise<T> {
      const giveBack = await turns(places, deadline)
      try {
        return await attempt()
      } catch (error) {
        if (counts(error)) failed(await countAll(places))
        throw error
      } finally {
        giveBack()
      }
    },
  }

  async function countAll(places: readonly Place[]): Promise<Standing | null> {
    const standings: Standing[] = []
    for (const place of places) {
      // Another process may have used it up meanwhile.
      const standing = await limiter.count(place).catch(standingIfThrottled)
      if (standing) standings.push(standing)
    }
    return standings.toSorted((a, b) => left(a) - left(b))[0] ?? null
  }
}

function standingIfThrottled(error: unknown): Standing {
  if (error instanceof Throttled) return error.standing
  throw error
}
