import { setTimeout as pause } from 'node:timers/promises'
import { audit } from '../../../projections/audit.ts'
import type { Position } from '../../event-store/event-store.ts'
import { firstUnapplied } from '../../projector/status.ts'
import { startWorker } from '../../projector/worker.ts'
import { generationFollower } from '../../read-store/read-store.ts'
import { showProgress } from '../progress.ts'
import { type Shell, Stopped } from '../shell.ts'
import { type Stores, workerLog } from '../stores.ts'

/** How long a Roster that runs is given to come to the head by itself. */
const patienceMs = 2000
const lookEveryMs = 50

/**
 * Resolves to the head of the log once the audit has come to it: a Roster that runs sees to that, else this process
 * does. Throws Stopped.
 */
export async function bringUpToDate(shell: Shell, stores: Stores): Promise<Position> {
  const { config, eventStore, readStore, identity } = stores
  const head = await eventStore.head()
  const deadline = performance.now() + patienceMs
  for (;;) {
    const standing = await standingOf(stores, head)
    if (standing.isThere) return head
    if (!standing.isFed || performance.now() > deadline) break
    await pause(lookEveryMs)
  }

  shell.note('bringing the audit up to date, which a running Roster does by itself')
  shell.lowerPriority()
  let events = 0
  const worker = await startWorker({
    eventStore,
    readStore,
    logId: identity.logId,
    projections: [audit],
    partitions: config.projectorPartitions,
    log: workerLog(shell),
    batch: (_follower, count) => {
      events += count
    },
  })
  const bar = showProgress(shell, 'audit', Number(head), 'events')
  try {
    for (;;) {
      const { isThere, lowest } = await standingOf(stores, head)
      if (isThere) return head
      bar.update(Math.max(0, Number(lowest)), events)
      if (shell.signal.aborted) throw new Stopped('what is built stays, and the same command goes on with it')
      await pause(lookEveryMs)
    }
  } finally {
    bar.stop()
    await worker.stop()
  }
}

/** How far the audit in use is. */
async function standingOf({ eventStore, readStore, identity }: Stores, head: Position) {
  const pointer = await readStore.pointer(audit.name)
  const generations = await readStore.generations(audit.name)
  const number = pointer?.live ?? pointer?.next?.number
  const generation = generations.find(each => each.number === number)
  if (!generation) return { isThere: false, isFed: false, lowest: -1n }
  const leases = await readStore.leases(generationFollower(generation))
  const lowest = leases.reduce((low, { checkpoint }) => (checkpoint < low ? checkpoint : low), head)
  const isFed = leases.length === generation.partitions && leases.every(({ owner }) => owner !== null)
  const isReadable =
    pointer?.live === generation.number &&
    generation.version === audit.version &&
    generation.logId === identity.logId &&
    leases.length === generation.partitions
  const first = isReadable ? await firstUnapplied(eventStore, audit.streams, generation, leases) : null
  return { isThere: isReadable && (!first || first.position > head), isFed: isFed && isReadable, lowest }
}
