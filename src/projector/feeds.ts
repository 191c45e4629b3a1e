import { type Feed, type FeedOptions, startFeed } from './feed.ts'
import type { Tenure } from './tenure.ts'

/** All subscriptions of a process: one for whatever has caught up and rests as long, and one for each that has not. */
export type Feeds = {
  follow(tenure: Tenure, partitions: readonly number[]): void
  leave(tenure: Tenure, partition: number): void
  /** Resolves once all that is followed has come up to the end of the log, or after `patienceMs`. */
  whenCaughtUp(patienceMs: number): Promise<void>
  stop(): Promise<void>
}

const troubledMs = 200

/** `caughtUp` is told when followers that were behind have come up to the end of the log. */
export function createFeeds(
  options: Omit<FeedOptions, 'caughtUp' | 'troubled' | 'restMs'> & { caughtUp(): void },
): Feeds {
  /** Those whose members have caught up, by how long they rest. */
  const mains = new Map<number, Feed>()
  const feeds = new Set<Feed>()
  const ending = new Set<Promise<void>>()
  const waiting: (() => void)[] = []
  let stopped = false

  function follow(tenure: Tenure, partitions: Iterable<number>, startAfterMs: number): void {
    if (stopped) return
    const { restMs } = tenure
    const troubled = (each: Tenure, some: Set<number>) => follow(each, some, troubledMs)
    const own = { restMs, troubled, caughtUp: (feed: Feed) => caughtUp(feed, restMs) }
    feeds.add(startFeed({ ...options, ...own }, { tenure, partitions, startAfterMs }))
  }

  function caughtUp(feed: Feed, restMs: number): void {
    const main = mains.get(restMs)
    if (feed === main) return
    if (!main) mains.set(restMs, feed)
    else {
      for (const [tenure, partitions] of feed.members()) main.join(tenure, [...partitions])
      end(feed)
    }
    if (isUpToDate()) for (const resolve of waiting.splice(0)) resolve()
    options.caughtUp()
  }

  function isUpToDate(): boolean {
    const upToDate = [...mains.values()]
    return [...feeds].every(feed => upToDate.includes(feed))
  }

  function end(feed: Feed): void {
    feeds.delete(feed)
    for (const [restMs, main] of mains) if (main === feed) mains.delete(restMs)
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
