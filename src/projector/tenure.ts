import type { Batch, Position } from '../event-store/event-store.ts'
import type { Lease, ReadStore } from '../read-store/read-store.ts'
import type { Duty } from './duty.ts'
import { type Holding, holdingOf, progressOf } from './holding.ts'
import { createLock } from './lock.ts'
import type { ProjectorLog } from './parking.ts'
import { fairShare } from './share.ts'
import { partitionOf } from './stable-hash.ts'
import type { Stillness } from './stillness.ts'

/** What this process holds of one follower. */
export type Tenure = {
  follower: string
  /** How long it rests between two batches once it has caught up, in milliseconds. */
  restMs: number
  /** Hands a batch to the partitions given. True if it took so long that there may be more by now. */
  deliver(partitions: ReadonlySet<number>, batch: Batch): Promise<boolean>
  /** The lowest position that one of the partitions was handed, null if none of them is held. */
  takenUpTo(partitions: Iterable<number>): Position | null
  isHeld(partition: number): boolean
  /** Renews what is held and takes or gives up leases until it is a fair share among the workers that live. */
  tend(workers: readonly string[]): Promise<void>
  /** Frees the leases of some partitions: whoever takes them checks first whether they still fit the log. */
  release(partitions: ReadonlySet<number>): Promise<void>
  /** Finishes what is under way and frees all leases. */
  stop(): Promise<void>
}

export type TenureOptions = {
  follower: string
  partitions: number
  streams: readonly string[]
  restMs: number
  logId: string
  /** This process. */
  worker: string
  readStore: ReadStore
  stillness: Stillness
  /** A lease seen unchanged for so long may be taken. */
  leaseMs: number
  /** Whether the process that owns a lease is known to have ended. */
  isGone(owner: string): boolean
  duty: Duty
  log: ProjectorLog
  /** Decides about a lease just taken: from where to go on, or not at all. */
  check(lease: Lease): Promise<Position | null>
  gained(partitions: readonly number[]): void
  lost(partition: number): void
}

export function createTenure(options: TenureOptions): Tenure {
  const { follower, partitions, streams, worker, readStore, stillness, leaseMs, duty, log } = options
  const holdings = new Map<number, Holding>()
  const lock = createLock()
  const finishing = new Set<AbortController>()
  let stopped = false

  const held = (wanted: Iterable<number>) => [...wanted].flatMap(partition => holdings.get(partition) ?? [])

  function isHeld(partition: number): boolean {
    const holding = holdings.get(partition)
    // Others may take it after leaseMs; a little less, so that an effect can still be begun.
    return holding !== undefined && performance.now() - holding.confirmedAt < leaseMs * 0.8
  }

  function abortFinishing(): void {
    for (const each of finishing) each.abort()
  }

  async function lose(partition: number): Promise<void> {
    if (!holdings.delete(partition)) return
    abortFinishing()
    options.lost(partition)
    log.warn({ follower, partition }, 'a lease was lost to another worker')
    await duty.end(partition)
  }

  function renew(): Promise<void> {
    return lock(async () => {
      if (holdings.size === 0) return
      const begun = performance.now()
      for (const holding of holdings.values()) duty.settle(holding)
      const lost = await readStore.renewLeases(follower, [...holdings.values()].map(progressOf))
      for (const partition of lost) await lose(partition)
      for (const holding of holdings.values()) holding.confirmedAt = begun
    })
  }

  async function giveUp(some: readonly Holding[]): Promise<void> {
    abortFinishing()
    for (const { partition } of some) {
      holdings.delete(partition)
      options.lost(partition)
    }
    await lock(async () => {
      for (const holding of some) {
        duty.settle(holding)
        await duty.end(holding.partition)
      }
      await readStore.releaseLeases(follower, some.map(progressOf))
    })
  }

  async function share(workers: readonly string[]): Promise<void> {
    let leases = await readStore.leases(follower)
    if (leases.length < partitions) {
      await readStore.createLeases(follower, partitions, options.logId)
      leases = await readStore.leases(follower)
    }
    const fair = fairShare(follower, partitions, workers, worker)
    const free = leases.filter(lease => !holdings.has(lease.partition) && isFree(lease))
    if (holdings.size > fair) await giveUp([...holdings.values()].slice(fair))
    else await take(free.slice(0, fair - holdings.size))
  }

  function isFree({ owner, partition, epoch, renewals }: Lease): boolean {
    const unchangedMs = stillness.see(`${follower} ${partition}`, `${epoch} ${renewals}`)
    return owner === null || unchangedMs >= leaseMs || options.isGone(owner)
  }

  async function take(free: readonly Lease[]): Promise<void> {
    const gained: Holding[] = []
    for (const lease of free) {
      const begun = performance.now()
      const taken = await readStore.takeLease(lease, worker)
      if (!taken) continue
      const holding = holdingOf(taken, begun)
      const from = await orRelease(holding, options.check(taken))
      if (from === null) await readStore.releaseLeases(follower, [holding])
      else gained.push({ ...holding, checkpoint: from, taken: from })
    }
    if (gained.length === 0) return
    await duty.begin(gained)
    for (const holding of gained) holdings.set(holding.partition, holding)
    const numbers = gained.map(({ partition }) => partition)
    log.info({ follower, partitions: numbers }, 'leases taken')
    options.gained(numbers)
  }

  /** A lease that cannot be used now should be free for others. */
  async function orRelease<T>(holding: Holding, checking: Promise<T>): Promise<T> {
    try {
      return await checking
    } catch (error) {
      await readStore.releaseLeases(follower, [holding])
      throw error
    }
  }

  return {
    follower,
    restMs: options.restMs,
    isHeld,

    async deliver(wanted, batch) {
      const events = batch.events.filter(event => {
        if (!streams.some(prefix => event.stream.startsWith(prefix))) return false
        const partition = partitionOf(event.stream, partitions)
        const holding = wanted.has(partition) ? holdings.get(partition) : undefined
        return holding !== undefined && event.position > holding.taken
      })
      const read = { through: batch.checkpoint, caughtUp: batch.caughtUp }
      await lock(async () => {
        // What is further than this batch was handed all of it before.
        const behind = held(wanted).filter(holding => holding.taken <= read.through)
        for (const partition of await duty.take(events, read, behind)) await lose(partition)
      })
      const holdingsNow = held(wanted)
      if (!batch.caughtUp || holdingsNow.every(({ searchable }) => searchable)) return false
      const controller = new AbortController()
      finishing.add(controller)
      try {
        return await duty.finish(holdingsNow, controller.signal)
      } finally {
        finishing.delete(controller)
      }
    },

    takenUpTo(wanted) {
      const positions = held(wanted).map(({ taken }) => taken)
      return positions.length === 0 ? null : positions.reduce((low, each) => (each < low ? each : low))
    },

    async tend(workers) {
      await renew()
      if (finishing.size === 0) await lock(() => duty.tend([...holdings.values()]))
      if (!stopped) await share(workers)
    },

    release: partitions => giveUp(held(partitions)),

    async stop() {
      stopped = true
      await giveUp([...holdings.values()])
    },
  }
}
