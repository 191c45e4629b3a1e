import type { EventStore, JsonObject, RecordedEvent } from '../event-store/event-store.ts'
import { type Generation, generationFollower, type ReadStore } from '../read-store/read-store.ts'
import type { Applied } from './applied.ts'
import { createApplyEvents } from './apply-events.ts'
import type { Duty, Read } from './duty.ts'
import { type Holding, progressOf } from './holding.ts'
import { createParking, type ProjectorLog } from './parking.ts'
import type { Projection } from './projection.ts'
import { partitionOf } from './stable-hash.ts'

export type ProjectionDutyOptions = {
  eventStore: EventStore
  readStore: ReadStore
  applied: Applied
  log: ProjectorLog
  now(): number
  /** Told of each batch that was stored. */
  batch?(projection: string, events: number): void
}

/** The duty of a generation: its documents follow the log. */
export function createProjectionDuty<Document extends JsonObject>(
  projection: Projection<Document>,
  generation: Generation,
  options: ProjectionDutyOptions,
): Duty {
  const { partitions } = generation
  const follower = generationFollower(generation)
  const documents = options.readStore.open(generation, projection)
  const applyEvents = createApplyEvents({ ...options, projection, follower, documents })
  const parking = createParking({ ...options, follower, partitions, documents, applyEvents })
  const partitionIn = (event: RecordedEvent) => partitionOf(event.stream, partitions)

  /** Returns the partitions lost; if there are any, nothing was done for the others either. */
  async function apply(
    events: readonly RecordedEvent[],
    read: Read,
    holdings: readonly Holding[],
  ): Promise<number[]> {
    const last = new Map(events.map(event => [partitionIn(event), event]))
    const moved = holdings.flatMap(holding => {
      const event = last.get(holding.partition)
      if (!event) return []
      const { stream, revision, id } = event
      return [{ holding, after: { ...holding, ...at(read, holding), witness: { stream, revision, id } } }]
    })
    if (events.length === 0) {
      for (const holding of holdings) Object.assign(holding, at(read, holding))
      return []
    }
    const free = events.filter(event => !parking.isParked(event.stream))
    // Where some can be searched already, rows for the others do no harm.
    const searchLater = holdings.every(holding => !holding.searchable)
    const progress = moved.map(({ after }) => progressOf(after))
    const { lost, parked } = await applyEvents(free, progress, { searchLater })
    if (lost.length > 0) return lost
    parking.note(parked)
    for (const { holding, after } of moved) holding.witness = after.witness
    for (const holding of holdings) Object.assign(holding, at(read, holding))
    options.batch?.(projection.name, events.length)
    return []
  }

  return {
    begin: holdings => parking.load(new Set(holdings.map(({ partition }) => partition))),

    async take(events, read, holdings) {
      const lost: number[] = []
      let from = 0
      do {
        const end = Math.min(events.length, from + documents.batchSize)
        const held = holdings.filter(({ partition }) => !lost.includes(partition))
        const some = events.slice(from, end).filter(event => !lost.includes(partitionIn(event)))
        const isLast = end === events.length
        const through = isLast ? read.through : (events[end - 1]?.position ?? read.through)
        const gone = await apply(some, { through, caughtUp: isLast && read.caughtUp }, held)
        lost.push(...gone)
        if (gone.length === 0) from = end
        if (!isLast) await new Promise(resolve => setImmediate(resolve))
      } while (from < events.length)
      return lost
    },

    async finish(holdings, signal) {
      const unfinished = holdings.filter(({ searchable }) => !searchable)
      if (unfinished.length === 0) return false
      const mine = new Set(unfinished.map(({ partition }) => partition))
      const belongs = (stream: string) => mine.has(partitionOf(stream, partitions))
      const held = unfinished.map(progressOf)
      const lost = await documents.completeSearch({ follower, held, belongs, signal })
      if (signal.aborted || lost.length > 0) return true
      for (const holding of unfinished) holding.searchable = true
      return true
    },

    settle() {},
    tend: holdings => parking.tend(holdings),
    async end(partition) {
      parking.forget(partition)
    },
  }
}

function at(
  { through, caughtUp }: Read,
  holding: Holding,
): Pick<Holding, 'taken' | 'checkpoint' | 'caughtUp'> {
  const taken = through > holding.taken ? through : holding.taken
  return { taken, checkpoint: taken, caughtUp }
}
