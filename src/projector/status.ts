import type { EventStore, Position } from '../event-store/event-store.ts'
import {
  type Generation,
  generationFollower,
  type Lease,
  type ParkedStream,
  type Pointer,
  type ReadStore,
} from '../read-store/read-store.ts'
import type { Projection } from './projection.ts'
import { partitionOf } from './stable-hash.ts'

/** How a read model does, for `/readyz`, `/metrics` and the tools. */
export type ProjectionStatus = {
  projection: string
  /** The version in this code. */
  version: number
  pointer: Pointer | null
  generations: GenerationStatus[]
}

export type GenerationStatus = {
  generation: Generation
  use: 'live' | 'next' | 'previous' | 'none'
  /** How long ago the oldest event happened that is not applied yet; 0 if all are, or if it does not say when. */
  lagSeconds: number
  /** At most so many events are not applied yet; null where positions do not count events. */
  lagEvents: number | null
  /** The workers that hold its partitions, null for those that nobody holds. */
  holders: (string | null)[]
  parked: ParkedStream[]
  /** From 0 to 1, how much of the log it has seen. */
  progress: number
  /** All of the log was seen, and what is found by search is written. */
  isComplete: boolean
  /** When a rebuild will be through if it goes on as so far; null where there is nothing to tell by. */
  remainingSeconds: number | null
}

/** Asks the stores how a projection's generations do. Throws StoreUnavailable. */
export async function projectionStatus(
  projection: Pick<Projection<Record<never, never>>, 'name' | 'version' | 'streams'>,
  stores: { eventStore: EventStore; readStore: ReadStore; positionsCountEvents: boolean },
  now: number,
): Promise<ProjectionStatus> {
  const { eventStore, readStore, positionsCountEvents } = stores
  const { name, version, streams } = projection
  const pointer = await readStore.pointer(name)
  const head = await eventStore.head()
  const generations: GenerationStatus[] = []
  for (const generation of await readStore.generations(name)) {
    const follower = generationFollower(generation)
    const leases = await readStore.leases(follower)
    const lowest = lowestCheckpoint(leases)
    const progress = head < 0n ? 1 : Math.min(1, Number(lowest + 1n) / Number(head + 1n))
    const use = useOf(pointer, generation.number)
    const isComplete = leases.length > 0 && leases.every(lease => lease.caughtUp && lease.searchable)
    const waiting = isFollowed(use) ? await firstUnapplied(eventStore, streams, generation, leases) : null
    const elapsedSeconds = (now - Date.parse(generation.createdAt)) / 1000
    generations.push({
      generation,
      use,
      lagSeconds: waiting === null ? 0 : secondsSince(waiting.time, now),
      lagEvents: positionsCountEvents ? (waiting === null ? 0 : Number(head - waiting.position + 1n)) : null,
      holders: leases.map(({ owner }) => owner),
      parked: await readStore.parked(follower),
      progress,
      isComplete,
      remainingSeconds:
        use === 'next' && progress > 0 ? Math.max(0, (elapsedSeconds * (1 - progress)) / progress) : null,
    })
  }
  return { projection: name, version, pointer, generations }
}

/** An event that others put into the log may have no time, or none that is one. */
function secondsSince(time: string, now: number): number {
  const seconds = (now - Date.parse(time)) / 1000
  return seconds > 0 ? seconds : 0
}

const isFollowed = (use: GenerationStatus['use']) => use === 'live' || use === 'next'

function useOf(pointer: Pointer | null, number: number): GenerationStatus['use'] {
  if (pointer?.live === number) return 'live'
  if (pointer?.next?.number === number) return 'next'
  return pointer?.previous?.number === number ? 'previous' : 'none'
}

function lowestCheckpoint(leases: readonly Lease[]): Position {
  return (
    leases.reduce<Position | null>(
      (low, { checkpoint }) => (low === null || checkpoint < low ? checkpoint : low),
      null,
    ) ?? -1n
  )
}

/** The first event that its partition has not applied. What is stored of checkpoints may be a second old. */
export async function firstUnapplied(
  eventStore: EventStore,
  prefixes: readonly string[],
  { partitions }: Generation,
  leases: readonly Lease[],
): Promise<{ time: string; position: Position } | null> {
  const checkpoints = new Map(leases.map(({ partition, checkpoint }) => [partition, checkpoint]))
  for await (const { events } of eventStore.readAll({
    after: lowestCheckpoint(leases),
    filter: { prefixes },
  })) {
    for (const { stream, position, metadata } of events) {
      const checkpoint = checkpoints.get(partitionOf(stream, partitions)) ?? -1n
      if (position > checkpoint) return { time: metadata.time, position }
    }
  }
  return null
}
