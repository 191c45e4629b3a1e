import { type Feed, type FeedOptions, startFeed } from './feed.ts'
import type { Tenure } from './tenure.ts'

/** All subscriptions of a process: one for whatever has caught up, and one for each that has not yet. */
export type Feeds = {
  follow(tenure: Tenure, partitions: readonly number[]): void
  leave(tenure: Tenure, partition: number): void
  /** Resolves once all that is followed has come up to the end of the log, or after `patienceMs`. */
  whenCaughtUp(patienceMs: number): Promise<void>
  stop(): Promise<void>
}

const restMs = 200

/** `caughtUp` is told when followers that were behind have come up to the end of the log. */
export function createFeeds(
  options: Omit<FeedOptions, 'caughtUp' | 'troubled'> & { caughtUp(): void },
): Feeds {
  let main: Feed | null = null
  const feeds = new Set<Feed>()
  const ending = new Set<Promise<void>>()
  const waiting: (() => void)[] = []
  let stopped = false

  function follow(tenure: Tenure, partitions: Iterable<number>, startAfterMs: number): void {
    if (stopped) return
    const troubled = (each: Tenure, some: Set<number>) => follow(each, some, restMs)
    feeds.add(startFeed({ ...options, caughtUp, troubled }, { tenure, partitions, startAfterMs }))
  }

  function caughtUp(feed: Feed): void {
    if (feed === main) return
    if (main === null) main = feed
    else {
      for (const [tenure, partitions] of feed.members()) main.join(tenure, [...partitions])
      end(feed)
    }
    if (isUpToDate()) for (const resolve of waiting.splice(0)) resolve()
    options.caughtUp()
  }

  function isUpToDate(): boolean {
    return [...feeds].every(feed => feed === main)
  }

  function end(feed: Feed): void {
    feeds.delete(feed)
    if (feed === main) main = null
    const ended = feed.stop().finally(() => ending.delete(ended))
    ending.add(ended)
  }

  return {
    follow: (tenure, partitions) => follow(tenure, partitions, 0),
    leave(tenure, partition) {
      for (const feed of feeds) {
        feed.leave(tenure, partition)
        if (feed.isEmpty()) end(feed)
      }
    },
    whenCaughtUp: patienceMs =>
      new Promise(resolve => {
        if (isUpToDate()) return resolve()
        const timer = setTimeout(resolve, patienceMs)
        waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      }),
    async stop() {
      stopped = true
      for (const feed of feeds) end(feed)
      await Promise.all(ending)
    },
  }
}
