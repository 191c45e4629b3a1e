import { LRUCache } from 'lru-cache'

/** Where somebody logs in: by what the login is counted, and the range that a session remembers of it. */
export type LoginPlace = { username: string; network: string; range: string }

export type KnownAddresses = {
  /** Notes that the owner was here. */
  remember(place: LoginPlace): void
  /** Whether the owner was here lately. */
  knows(place: LoginPlace): Promise<boolean>
}

const latelyMs = 30 * 86_400_000
const mostRemembered = 50_000
const askAgainMs = 10_000

/**
 * Addresses from which the owners of accounts logged in lately: those that this process has seen, and those in the range
 * of a session. `rangesSince` is asked only where it matters; if it cannot say, nothing is known.
 */
export function createKnownAddresses(parts: {
  /** The ranges of a user's sessions that were used since a time, in milliseconds since 1970. */
  rangesSince(username: string, since: number): Promise<ReadonlySet<string>>
  digest(text: string): string
  now(): number
}): KnownAddresses {
  const seen = new LRUCache<string, true>({ max: mostRemembered, ttl: latelyMs })
  // Somebody who is refused may try again and again.
  const asked = new LRUCache<string, Promise<ReadonlySet<string>>>({ max: 1000, ttl: askAgainMs })

  function rangesOf(username: string): Promise<ReadonlySet<string>> {
    const key = parts.digest(username)
    const known = asked.get(key)
    if (known) return known
    const ranges = parts.rangesSince(username, parts.now() - latelyMs).catch(() => new Set<string>())
    asked.set(key, ranges)
    return ranges
  }

  const seenAt = ({ username, network }: LoginPlace) => parts.digest(`${username} ${network}`)

  return {
    remember(place) {
      seen.set(seenAt(place), true)
    },
    async knows(place) {
      return seen.has(seenAt(place)) || (await rangesOf(place.username)).has(place.range)
    },
  }
}
