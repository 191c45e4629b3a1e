import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, type EventStore, type JsonObject, type Position } from '../event-store/event-store.ts'
import { type Generation, generationFollower, type Lease, type ReadStore } from '../read-store/read-store.ts'
import { type Applied, createApplied } from './applied.ts'
import type { Duty } from './duty.ts'
import { createFeeds } from './feeds.ts'
import type { Follower } from './follower.ts'
import { createFollowerDuty } from './follower-duty.ts'
import { createGenerationKeeper } from './generation-keeper.ts'
import { startHeart } from './heart.ts'
import { livingWorkers } from './living-workers.ts'
import type { ProjectorLog } from './parking.ts'
import type { Projection } from './projection.ts'
import { createProjectionDuty } from './projection-duty.ts'
import { misfit } from './same-log.ts'
import { createStillness } from './stillness.ts'
import { createTenure, type Tenure } from './tenure.ts'
import { isGone, newWorkerId } from './worker-id.ts'

export type WorkerOptions = {
  eventStore: EventStore
  readStore: ReadStore
  logId: string
  projections?: readonly Projection<JsonObject>[]
  /** Others that follow the log: mailer, eraser, sweeper. */
  followers?: readonly Follower[]
  /**
   * Of the projections, feeds these generations alone, named as followers; and while it lives, whoever feeds all that
   * it can leaves them to this worker. So a tool at a low priority spares the service, and the service itself.
   */
  only?: readonly string[]
  /** Of the generations that are built from now on. */
  partitions: number
  log: ProjectorLog
  /** Tells those who wait for documents in this process. */
  applied?: Applied
  now?: () => number
  /** Told of each batch that was stored. */
  batch?: (projection: string, events: number) => void
  timing?: Partial<WorkerTiming>
}

/** Milliseconds. Those of all processes that share a store have to be the same. */
export type WorkerTiming = {
  renewMs: number
  /** A lease may be taken that was seen unchanged for so long. */
  leaseMs: number
  /** After this time every process has seen a move of a pointer. */
  noticedMs: number
  /** The generation before is fed for so long after a swap. */
  keepFeedingMs: number
  keepStrayMs: number
  /** How long a start waits for what it feeds to catch up. */
  startMs: number
}

export const usualTiming: WorkerTiming = {
  renewMs: 1000,
  leaseMs: 5000,
  noticedMs: 2000,
  keepFeedingMs: 60_000,
  keepStrayMs: 5000,
  startMs: 500,
}

export type FollowerWorker = {
  id: string
  /** Finishes what is under way and frees all leases, so that others can take them at once. */
  stop(): Promise<void>
}

/**
 * Feeds read models and other followers, sharing the work with all processes that use the same stores. Resolves once
 * the work has begun, and if that takes a moment only, has caught up. Outages of the stores are waited out.
 */
export async function startWorker(options: WorkerOptions): Promise<FollowerWorker> {
  const { eventStore, readStore, logId, projections = [], followers = [], only, log } = options
  const { applied = createApplied(), now = Date.now } = options
  const timing = { ...usualTiming, ...options.timing }
  const id = newWorkerId()
  const stillness = createStillness()
  const tenures = new Map<string, { tenure: Tenure; feeds: string }>()
  const tending = new Map<Tenure, Promise<void>>()
  const keepers = projections.map(projection => ({
    projection,
    keeper: createGenerationKeeper({ ...options, ...timing, projection, stillness, now }),
  }))
  const canFeed = () => [
    ...followers.map(({ name }) => name),
    // Not those of other versions: somebody else has to feed them.
    ...(only?.filter(generation => tenures.has(generation)) ?? projections.map(versionOf)),
  ]
  const feeds = createFeeds({
    eventStore,
    prefixes: [...new Set([...projections, ...followers].flatMap(({ streams }) => streams))],
    log,
    caughtUp: () => heart.beatNow(),
  })

  function employ(
    follower: string,
    what: { feeds: string; partitions: number; streams: readonly string[]; restMs: number },
    makeDuty: (isHeld: (partition: number) => boolean) => Duty,
    check: (lease: Lease) => Promise<Position | null>,
  ): Tenure {
    const tenure: Tenure = createTenure({
      ...what,
      ...timing,
      follower,
      logId,
      worker: id,
      readStore,
      stillness,
      isGone,
      log,
      check,
      duty: makeDuty(partition => tenure.isHeld(partition)),
      gained: partitions => feeds.follow(tenure, partitions),
      lost: partition => feeds.leave(tenure, partition),
    })
    tenures.set(follower, { tenure, feeds: what.feeds })
    return tenure
  }

  function employFollower(follower: Follower): void {
    // Another log is another follower: what was done for the one says nothing about the other.
    const { name: feeds, partitions, streams } = follower
    employ(
      `${follower.name}@${logId}`,
      { feeds, partitions, streams, restMs: 0 },
      isHeld => createFollowerDuty(follower, isHeld),
      async lease => {
        const reason = await misfit(eventStore, lease, { logId, partitions, streams })
        if (reason === null) return lease.checkpoint
        log.warn({ follower: follower.name, reason }, 'following the log from its beginning again')
        return beforeAll
      },
    )
  }

  function employGeneration({ projection, keeper }: (typeof keepers)[number], generation: Generation): void {
    const { partitions } = generation
    const { streams, restMs = 0 } = projection
    employ(
      generationFollower(generation),
      { feeds: versionOf(projection), partitions, streams, restMs },
      () => createProjectionDuty(projection, generation, { ...options, applied, now }),
      async lease => {
        const reason = await misfit(eventStore, lease, { logId, partitions, streams })
        if (reason === null) return lease.checkpoint
        keeper.reportUnusable(generation.number, reason)
        return null
      },
    )
  }

  async function tendGenerations(): Promise<void> {
    for (const each of keepers) {
      const fed = await each.keeper.tend()
      const wanted = fed.filter(generation => !only || only.includes(generationFollower(generation)))
      for (const generation of wanted) {
        if (!tenures.has(generationFollower(generation))) employGeneration(each, generation)
      }
      const names = wanted.map(generationFollower)
      for (const [follower, { tenure, feeds: version }] of [...tenures]) {
        if (version !== versionOf(each.projection) || names.includes(follower)) continue
        tenures.delete(follower)
        await tenure.stop()
      }
    }
  }

  async function tendTenures(): Promise<void> {
    await readStore.beat(id, canFeed())
    const workers = await livingWorkers({ id, readStore, stillness, leaseMs: timing.leaseMs })
    const ableTo = (what: string) => workers.filter(each => each.feeds.includes(what)).map(each => each.id)
    for (const { tenure, feeds: what } of tenures.values()) {
      if (tending.has(tenure)) continue
      const dedicated = ableTo(tenure.follower)
      const able = dedicated.length > 0 ? dedicated : ableTo(what)
      const tended = tenure.tend(able).finally(() => tending.delete(tenure))
      tending.set(tenure, tended)
    }
    // One that takes long must not keep the leases of the others from being renewed.
    await Promise.race([Promise.all(tending.values()), pause(timing.renewMs, undefined, { ref: false })])
  }

  const heart = startHeart(timing.renewMs, log, async () => {
    await tendTenures()
    const before = tenures.size
    await tendGenerations()
    if (tenures.size > before) await tendTenures()
  })

  for (const follower of followers) employFollower(follower)
  await heart.beatNow()
  await feeds.whenCaughtUp(timing.startMs)
  await heart.beatNow()

  return {
    id,
    async stop() {
      const giveUp = (error: unknown) => log.warn({ err: error }, 'leases could not be given back')
      await heart.stop()
      const stopped = Promise.all([feeds.stop(), ...[...tenures.values()].map(({ tenure }) => tenure.stop())])
      await stopped.then(() => readStore.removeWorker(id)).catch(giveUp)
    },
  }
}

function versionOf({ name, version }: Pick<Projection<JsonObject>, 'name' | 'version'>): string {
  return `${name}@${version}`
}
