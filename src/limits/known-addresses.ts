import { LRUCache } from 'lru-cache'

/** Where somebody logs in: by what the login is counted, and the range that a session remembers of it. */
export type LoginPlace = { username: string; network: string; range: string }

export type KnownAddresses = {
  /** Notes that the owner was here. */
  remember(place: LoginPlace): void
  /** Whether the owner was here lately. */
  knows(place: LoginPlace): Promise<boolean>
  /** Forgets where somebody was; returns by what the logins of each place are counted. */
  forget(username: string): string[]
}

const latelyMs = 30 * 86_400_000
const mostRemembered = 50_000
const mostOfOne = 8
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
  // Of each account when its owner was last in a place, the latest at the end.
  const seen = new LRUCache<string, Map<string, number>>({ max: mostRemembered, ttl: latelyMs })
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

  const isLately = (at: number) => at > parts.now() - latelyMs

  return {
    remember(place) {
      const { username } = place
      const key = parts.digest(username)
      const places = seen.get(key) ?? new Map<string, number>()
      const here = placeDigest(parts.digest, place)
      places.delete(here)
      places.set(here, parts.now())
      for (const [oldest] of places) if (places.size > mostOfOne) places.delete(oldest)
      seen.set(key, places)
    },
    async knows(place) {
      const { username, range } = place
      const at = seen.get(parts.digest(username))?.get(placeDigest(parts.digest, place))
      return (at !== undefined && isLately(at)) || (await rangesOf(username)).has(range)
    },
    forget(username) {
      const key = parts.digest(username)
      const places = [...(seen.get(key)?.keys() ?? [])]
      seen.delete(key)
      asked.delete(key)
      return places
    },
  }
}

/** By what the logins of an owner in one place are counted. */
export function placeDigest(
  digest: (text: string) => string,
  { username, network }: Pick<LoginPlace, 'username' | 'network'>,
): string {
  return digest(`${username} ${network}`)
}
