import { toRecorded } from '../account/upcasters.ts'
import type { EventStore, JsonObject, Position, RecordedEvent } from '../event-store/event-store.ts'
import {
  type Generation,
  generationFollower,
  type Pointer,
  type ReadStore,
} from '../read-store/read-store.ts'
import { foldEvents, keyEvents } from './fold.ts'
import { giveUpPrevious } from './pointer-moves.ts'
import type { Projection } from './projection.ts'
import { firstUnapplied } from './status.ts'

/** Sees to it that generations lose what an event has them forget, those too that nobody feeds. */
export type Forgetting = {
  /** What keeps a generation that is read, now or soon, from being through with the log up to a position; or null. */
  readBehind(position: Position): Promise<string | null>
  /** The same of every generation: one that is given up is behind until it is dropped. */
  behind(position: Position): Promise<string | null>
  /** Has generations that are kept for a way back forget what these events, each its stream's last, say. */
  inFrozen(events: readonly RecordedEvent[]): Promise<void>
  /** Has streams that are parked tried again, to their ends. Resolves to how many are not through yet. */
  retryParked(isWanted: (stream: string) => Promise<boolean>): Promise<number>
}

export type ForgettingOptions = {
  eventStore: EventStore
  readStore: ReadStore
  logId: string
  projections: readonly Projection<JsonObject>[]
  log: { info(fields: object, message: string): void }
}

type Use = 'read' | 'being built' | 'frozen' | 'given up'

export function createForgetting(options: ForgettingOptions): Forgetting {
  const { eventStore, readStore, logId, projections, log } = options

  /** Each generation of this log, with what it is used for. */
  async function* all(): AsyncGenerator<[Projection<JsonObject>, Generation, Use, Pointer]> {
    for (const projection of projections) {
      const pointer = await readStore.pointer(projection.name)
      if (!pointer) continue
      for (const generation of await readStore.generations(projection.name)) {
        if (generation.logId !== logId) continue
        yield [projection, generation, useOf(generation, pointer), pointer]
      }
    }
  }

  async function forgetIn(
    projection: Projection<JsonObject>,
    generation: Generation,
    events: readonly RecordedEvent[],
  ): Promise<boolean> {
    if (!isFoundAlike(projection, generation)) return false
    const wanted = events.filter(({ stream }) => projection.streams.some(prefix => stream.startsWith(prefix)))
    const { keyed, unapplied } = keyEvents(projection, wanted, toRecorded)
    let failed = unapplied.length
    const keys = [...new Set(keyed.map(({ key }) => key))]
    if (keys.length === 0) return failed === 0
    await readStore.open(generation, projection).apply({
      keys,
      follower: generationFollower(generation),
      progress: [],
      searchLater: false,
      fold(stored) {
        const folded = foldEvents(projection, keyed, stored)
        failed += folded.unapplied.length
        return { writes: folded.writes.filter(({ key }) => stored.has(key)), parked: [] }
      },
    })
    return failed === 0
  }

  async function behind(position: Position, counts: (use: Use) => boolean): Promise<string | null> {
    for await (const [projection, generation, use] of all()) {
      if (!counts(use)) continue
      const name = generationFollower(generation)
      if (use === 'given up') return `${name} is not dropped yet`
      const leases = await readStore.leases(name)
      if (leases.length < generation.partitions) return `${name} is about to be built`
      const first = await firstUnapplied(eventStore, projection.streams, generation, leases)
      if (first && first.position <= position) return `${name} has not come to ${position} yet`
    }
    return null
  }

  return {
    readBehind: position => behind(position, use => use === 'read'),
    behind: position => behind(position, use => use !== 'frozen'),

    async inFrozen(events) {
      for await (const [projection, generation, use, pointer] of all()) {
        if (use !== 'frozen' || (await forgetIn(projection, generation, events))) continue
        // Made by code that kept things otherwise: it cannot be changed by ours, and must not be kept as it is.
        const to = giveUpPrevious(pointer)
        if (to && (await readStore.movePointer(to))) {
          const { number } = generation
          log.info(
            { projection: projection.name, generation: number },
            'an old read model was given up: it cannot forget what it has to',
          )
        }
      }
    },

    async retryParked(isWanted) {
      const frozen = new Set<string>()
      for await (const [, generation, use] of all()) {
        if (use === 'frozen' || use === 'given up') frozen.add(generationFollower(generation))
      }
      let waiting = 0
      for (const { follower, stream } of await readStore.parked()) {
        if (!(await isWanted(stream))) continue
        if (frozen.has(follower)) await readStore.unpark(follower, stream)
        else if (await readStore.requestRetry(follower, stream)) waiting++
      }
      return waiting
    },
  }
}

function useOf({ number }: Generation, { live, next, previous }: Pointer): Use {
  if (number === live) return 'read'
  if (number === next?.number) return next.phase === 'joining' ? 'read' : 'being built'
  if (number !== previous?.number) return 'given up'
  return previous.fed ? 'read' : 'frozen'
}

/** Whether our code finds every row by which the generation's documents are found. */
function isFoundAlike(projection: Projection<JsonObject>, { indexes, searched }: Generation): boolean {
  const ours = Object.keys(projection.indexes).toSorted()
  return searched === (projection.searched ?? null) && ours.join(' ') === [...indexes].toSorted().join(' ')
}
