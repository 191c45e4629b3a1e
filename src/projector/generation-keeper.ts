import type { JsonObject } from '../event-store/event-store.ts'
import {
  type Generation,
  generationFollower,
  type Lease,
  type Pointer,
  type ReadStore,
} from '../read-store/read-store.ts'
import { newGeneration } from './generation-requests.ts'
import type { ProjectorLog } from './parking.ts'
import {
  beginBuilding,
  beginJoining,
  firstPointer,
  freezePrevious,
  strays,
  swapIn,
  whyBuild,
} from './pointer-moves.ts'
import type { Projection } from './projection.ts'
import type { Stillness } from './stillness.ts'

/** Looks after the generations of one projection, together with the keepers of other processes. */
export type GenerationKeeper = {
  /** Moves the pointer on if it is time; returns the generations that this version of the code is to feed. */
  tend(): Promise<Generation[]>
  /** A generation turned out not to fit the log any more. */
  reportUnusable(number: number, reason: string): void
}

export type KeeperOptions = {
  readStore: ReadStore
  projection: Pick<Projection<JsonObject>, 'name' | 'version' | 'indexes' | 'searched'>
  partitions: number
  logId: string
  stillness: Stillness
  log: ProjectorLog
  now(): number
  /** After this time whoever writes has seen a move of the pointer, and whoever reads too. */
  noticedMs: number
  /** For so long the generation before is fed after a swap. */
  keepFeedingMs: number
  /** A generation that nothing points to is dropped after this time. */
  keepStrayMs: number
}

/** A large one takes minutes, for which the process has other work too; but an erasure waits until it is gone. */
const dropShare = 0.5

export function createGenerationKeeper(options: KeeperOptions): GenerationKeeper {
  const { readStore, projection, partitions, logId, stillness, log } = options
  const { name, version } = projection
  const unusable = new Map<number, string>()
  const dropping = new Set<number>()
  let renewalsAtJoin: { epoch: number; renewals: number[] } | null = null

  /** The pointer after the move, or as another process moved it before. */
  async function move(to: Pointer | null): Promise<Pointer | null> {
    return to && (await readStore.movePointer(to)) ? to : readStore.pointer(name)
  }

  function generation(number: number, reason: string): Generation {
    return newGeneration(projection, { number, partitions, logId, reason, now: options.now() })
  }

  async function build(
    pointer: Pointer,
    generations: readonly Generation[],
    reason: string,
  ): Promise<Pointer | null> {
    const to = beginBuilding(pointer, generations, { logId })
    const after = await move(to)
    if (after === to) {
      log.info({ projection: name, generation: to.next?.number, version, reason }, 'building a read model')
      await readStore.createGeneration(generation(to.lastNumber, reason))
    }
    return after
  }

  /** Makes what another process announced, unless it is just about to make it itself. */
  async function makeUpFor(number: number): Promise<void> {
    if (stillness.see(`announced ${name}`, String(number)) < options.noticedMs) return
    await readStore.createGeneration(generation(number, 'announced by a process that stopped'))
  }

  async function advance(pointer: Pointer, next: Generation): Promise<Pointer | null> {
    const leases = await readStore.leases(generationFollower(next))
    if (leases.length < next.partitions || !leases.every(isComplete)) return pointer
    if (pointer.live === null) return swap(pointer)
    if (pointer.next?.phase === 'building') return move(beginJoining(pointer))
    // What writers saw in the live generation before they waited for this one too must be in this one as well.
    const seen = stillness.see(`joining ${name}`, String(pointer.epoch))
    if (seen < options.noticedMs) return pointer
    if (renewalsAtJoin?.epoch !== pointer.epoch) {
      renewalsAtJoin = { epoch: pointer.epoch, renewals: leases.map(({ renewals }) => renewals) }
    }
    const { renewals } = renewalsAtJoin
    return leases.every((lease, at) => lease.renewals > (renewals[at] ?? 0)) ? swap(pointer) : pointer
  }

  async function swap(pointer: Pointer): Promise<Pointer | null> {
    const to = swapIn(pointer)
    const after = await move(to)
    if (after === to) {
      log.info({ projection: name, generation: to?.live }, 'a read model is live')
      // V8 would let the heap grow on from the size that the build gave it. Only there with --expose-gc.
      globalThis.gc?.()
    }
    return after
  }

  function drop(pointer: Pointer, generations: readonly Generation[]): void {
    for (const number of strays(pointer, generations)) {
      // A reader may not have seen yet that nothing points to it.
      if (stillness.see(`stray ${name} ${number}`, '') < options.keepStrayMs || dropping.has(number)) continue
      dropping.add(number)
      readStore
        .dropGeneration(name, number, dropShare)
        .then(() => log.info({ projection: name, generation: number }, 'an old read model was dropped'))
        .catch(error => log.warn({ err: error, generation: number }, 'an old read model is still there'))
        .finally(() => dropping.delete(number))
    }
  }

  return {
    reportUnusable(number, reason) {
      if (!unusable.has(number))
        log.warn({ projection: name, generation: number, reason }, 'a read model does not fit the log')
      unusable.set(number, reason)
    },

    async tend() {
      let pointer = (await readStore.pointer(name)) ?? firstPointer(name)
      let generations = await readStore.generations(name)
      const find = (number: number | null | undefined) => generations.find(each => each.number === number)

      const reason = whyBuild(pointer, generations, { projection: name, version, logId }, unusable)
      if (reason !== null) pointer = (await build(pointer, generations, reason)) ?? pointer
      else if (pointer.next && !find(pointer.next.number)) await makeUpFor(pointer.next.number)
      generations = await readStore.generations(name)

      const next = find(pointer.next?.number)
      if (next && next.version === version) pointer = (await advance(pointer, next)) ?? pointer
      const { previous } = pointer
      if (previous?.fed) {
        const seen = stillness.see(`previous ${name}`, String(previous.number))
        if (seen >= options.keepFeedingMs) pointer = (await move(freezePrevious(pointer))) ?? pointer
      } else stillness.forget(`previous ${name}`)
      drop(pointer, generations)

      const fed = [pointer.live, pointer.next?.number, pointer.previous?.fed ? pointer.previous.number : null]
      return generations.filter(
        each =>
          fed.includes(each.number) &&
          each.version === version &&
          each.logId === logId &&
          !unusable.has(each.number),
      )
    },
  }
}

function isComplete({ owner, caughtUp, searchable }: Lease): boolean {
  return owner !== null && caughtUp && searchable
}
