import { LRUCache } from 'lru-cache'
import type { Revision } from '../event-store/event-store.ts'

/** Tells those who wait in this process what its projector did. */
export type Applied = {
  /** `follower` has written the document as of `revision`. */
  written(follower: string, key: string, revision: Revision): void
  /** `follower` has parked the stream. */
  parked(follower: string, stream: string): void
  /** The revision that was written lately, if it is remembered. */
  lately(follower: string, key: string): Revision | undefined
  listen(listener: AppliedListener): void
}

export type AppliedListener = {
  written(follower: string, key: string, revision: Revision): void
  parked(follower: string, stream: string): void
}

const remembered = 1000

export function createApplied(): Applied {
  const listeners: AppliedListener[] = []
  const latest = new LRUCache<string, Revision>({ max: remembered })
  const name = (follower: string, key: string) => `${follower} ${key}`

  return {
    written(follower, key, revision) {
      latest.set(name(follower, key), revision)
      for (const listener of listeners) listener.written(follower, key, revision)
    },
    parked(follower, stream) {
      for (const listener of listeners) listener.parked(follower, stream)
    },
    lately: (follower, key) => latest.get(name(follower, key)),
    listen: listener => void listeners.push(listener),
  }
}
