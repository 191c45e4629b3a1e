import { toRecorded } from '../account/upcasters.ts'
import type { JsonObject, RecordedEvent } from '../event-store/event-store.ts'
import type { Documents, ParkedStream, Progress } from '../read-store/read-store.ts'
import type { Applied } from './applied.ts'
import { foldEvents, keyEvents, type Unapplied } from './fold.ts'
import type { Projection } from './projection.ts'

/** `lost`: partitions whose leases another has, then nothing else counts. `parked`: streams that were just parked. */
export type Outcome = { lost: number[]; parked: ParkedStream[] }

/** Folds events into the documents of a generation, and stores them with the progress. */
export type ApplyEvents = (
  events: readonly RecordedEvent[],
  progress: readonly Progress[],
  options: { searchLater: boolean },
) => Promise<Outcome>

export function createApplyEvents<Document extends JsonObject>(options: {
  projection: Projection<Document>
  follower: string
  documents: Documents<Document>
  applied: Applied
  now(): number
}): ApplyEvents {
  const { projection, follower, documents, applied } = options

  function toParked({ event, key, error }: Unapplied): ParkedStream {
    const { stream, revision } = event
    const reason = error instanceof Error ? error.message : String(error)
    const since = new Date(options.now()).toISOString()
    return { follower, stream, revision, key, error: reason, since, retry: false }
  }

  return async (events, progress, { searchLater }) => {
    const { keyed, unapplied } = keyEvents(projection, events, toRecorded)
    const keys = [...new Set(keyed.map(({ key }) => key))]
    const newKeys = new Set(keyed.flatMap(({ event, key }) => (event.revision === 0n ? [key] : [])))
    let written: readonly { key: string; revision: bigint }[] = []
    let parked: ParkedStream[] = []
    const lost = await documents.apply({
      keys,
      newKeys,
      follower,
      progress,
      searchLater,
      fold(stored) {
        const folded = foldEvents(projection, keyed, stored)
        // A stream that cannot be applied stops before it gets to what cannot be read.
        const stopped = new Set(folded.unapplied.map(({ event }) => event.stream))
        const unreadable = unapplied.filter(({ event }) => !stopped.has(event.stream))
        written = folded.writes
        parked = [...folded.unapplied, ...unreadable].map(toParked)
        return { writes: folded.writes, parked }
      },
    })
    if (lost.length > 0) return { lost, parked: [] }
    for (const { key, revision } of written) applied.written(follower, key, revision)
    for (const { stream } of parked) applied.parked(follower, stream)
    return { lost, parked }
  }
}
