import { setTimeout as pause } from 'node:timers/promises'
import {
  type Batch,
  beforeAll,
  type EventStore,
  LogReplaced,
  type Position,
} from '../event-store/event-store.ts'
import type { ProjectorLog } from './parking.ts'
import { subscribeWithoutErased } from './subscribe-without-erased.ts'
import type { Tenure } from './tenure.ts'

/** One subscription, and the partitions it feeds. */
export type Feed = {
  join(tenure: Tenure, partitions: Iterable<number>): void
  leave(tenure: Tenure, partition: number): void
  members(): [Tenure, Set<number>][]
  isEmpty(): boolean
  /** No delivery is under way once this has resolved. */
  stop(): Promise<void>
}

export type FeedOptions = {
  eventStore: EventStore
  prefixes: readonly string[]
  log: ProjectorLog
  /** Every member has all there was. Called between deliveries. */
  caughtUp(feed: Feed): void
  /** A member did not take a batch: it goes on on a feed of its own, so that it does not hold up the others. */
  troubled(tenure: Tenure, partitions: Set<number>): void
  /** How long to gather events after its members have caught up. */
  restMs: number
  firstPauseMs?: number
}

/** Feeds its members from the lowest of their positions on. `startAfterMs` lets a troubled member rest. */
export function startFeed(
  { eventStore, prefixes, log, caughtUp, troubled, restMs, firstPauseMs = 50 }: FeedOptions,
  first: { tenure: Tenure; partitions: Iterable<number>; startAfterMs: number },
): Feed {
  const members = new Map<Tenure, Set<number>>()
  const stopping = new AbortController()
  let joining: [Tenure, Iterable<number>][] = []
  let delivering = false
  let position: Position = beforeAll
  let reading = new AbortController()

  const feed: Feed = {
    join(tenure, partitions) {
      joining.push([tenure, partitions])
      if (!delivering) admit()
    },
    leave(tenure, partition) {
      const partitions = members.get(tenure)
      partitions?.delete(partition)
      if (partitions?.size === 0) members.delete(tenure)
      joining = joining.map(([each, some]) => [
        each,
        each === tenure ? [...some].filter(other => other !== partition) : some,
      ])
    },
    members: () => [...members],
    isEmpty: () => members.size === 0 && joining.every(([, partitions]) => [...partitions].length === 0),
    async stop() {
      stopping.abort()
      reading.abort()
      await running
    },
  }

  /** Lets in who waits; if one of them is behind, the subscription begins anew from there. */
  function admit(): void {
    for (const [tenure, partitions] of joining.splice(0)) {
      const known = members.get(tenure) ?? new Set()
      for (const partition of partitions) known.add(partition)
      if (known.size > 0) members.set(tenure, known)
      const behind = tenure.takenUpTo(partitions)
      if (behind !== null && behind < position) {
        position = behind
        reading.abort()
      }
    }
  }

  async function deliver(tenure: Tenure, partitions: Set<number>, batch: Batch): Promise<boolean> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        return await tenure.deliver(partitions, batch)
      } catch (error) {
        log.error({ err: error, follower: tenure.follower, failures }, 'a batch could not be applied yet')
        if (members.size > 1) {
          members.delete(tenure)
          troubled(tenure, partitions)
          return false
        }
        await rest(failures)
      }
    }
    return false
  }

  async function rest(failures: number): Promise<void> {
    const ms = Math.min(2000, firstPauseMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
    await pause(ms, undefined, { signal: stopping.signal }).catch(() => undefined)
  }

  /** Returns whether to read on. */
  async function deliverToAll(batch: Batch): Promise<boolean> {
    let mayBeMore = false
    delivering = true
    for (const [tenure, partitions] of [...members]) {
      if (await deliver(tenure, partitions, batch)) mayBeMore = true
    }
    delivering = false
    if (stopping.signal.aborted) return false
    if (batch.checkpoint > position) position = batch.checkpoint
    admit()
    if (mayBeMore) return false
    if (batch.caughtUp) caughtUp(feed)
    return !stopping.signal.aborted && !reading.signal.aborted
  }

  /** What the members have of the log may not be in it any more: they are checked when somebody takes them again. */
  async function releaseAll(): Promise<void> {
    for (const [tenure, partitions] of [...members]) {
      await tenure.release(new Set(partitions)).catch(error => {
        log.warn({ err: error, follower: tenure.follower }, 'leases could not be given back')
      })
    }
  }

  async function run(): Promise<void> {
    await pause(first.startAfterMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    for (let failures = 0; !stopping.signal.aborted; ) {
      reading = new AbortController()
      const { signal } = reading
      try {
        const subscribing = { after: position, filter: { prefixes }, signal }
        const subscription = subscribeWithoutErased(eventStore, subscribing)
        for await (const batch of subscription) {
          if (signal.aborted) break
          failures = 0
          if (!(await deliverToAll(batch))) break
          if (restMs > 0 && batch.caughtUp) await pause(restMs, undefined, { signal }).catch(() => undefined)
        }
      } catch (error) {
        log.error({ err: error }, 'the subscription to the log failed')
        if (error instanceof LogReplaced) await releaseAll()
        await rest(failures++)
      }
    }
  }

  position = first.tenure.takenUpTo(first.partitions) ?? beforeAll
  members.set(first.tenure, new Set(first.partitions))
  const running = run()
  return feed
}
