import type { EventStore, JsonObject } from '../event-store/event-store.ts'
import type { Documents, ParkedStream, ReadStore } from '../read-store/read-store.ts'
import type { ApplyEvents } from './apply-events.ts'
import { type Holding, progressOf } from './holding.ts'
import { partitionOf } from './stable-hash.ts'

export type ProjectorLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The streams of a follower that wait for somebody to mend what cannot be applied. */
export type Parking = {
  /** Learns what is parked in these partitions. */
  load(partitions: ReadonlySet<number>): Promise<void>
  isParked(stream: string): boolean
  note(parked: readonly ParkedStream[]): void
  forget(partition: number): void
  /** Tries again what was asked for, and what somebody else has unparked. */
  tend(holdings: readonly Holding[]): Promise<void>
}

const eventsPerRead = 500

export function createParking<Document extends JsonObject>(options: {
  eventStore: EventStore
  readStore: ReadStore
  follower: string
  partitions: number
  documents: Documents<Document>
  applyEvents: ApplyEvents
  log: ProjectorLog
}): Parking {
  const { eventStore, readStore, follower, partitions, documents, applyEvents, log } = options
  const parked = new Map<string, ParkedStream>()

  function note(streams: readonly ParkedStream[]): void {
    for (const each of streams) {
      parked.set(each.stream, each)
      const { stream, revision, error } = each
      log.error({ follower, stream, revision: String(revision), error }, 'an event cannot be applied: parked')
    }
  }

  async function retry({ stream, key }: ParkedStream, holding: Holding): Promise<void> {
    const stored = key === null ? undefined : (await documents.read([key])).get(key)
    for (let from = stored ? stored.revision + 1n : 0n; ; ) {
      const events = await eventStore.readStream(stream, { from, limit: eventsPerRead })
      const last = events.at(-1)
      if (!last) break
      const options = { searchLater: !holding.searchable }
      const outcome = await applyEvents(events, [progressOf(holding)], options)
      if (outcome.lost.length > 0) return
      if (outcome.parked.length > 0) return note(outcome.parked)
      from = last.revision + 1n
    }
    await readStore.unpark(follower, stream)
    parked.delete(stream)
    log.info({ follower, stream }, 'a parked stream was applied to its end')
  }

  return {
    async load(wanted) {
      for (const each of await readStore.parked(follower)) {
        if (wanted.has(partitionOf(each.stream, partitions))) parked.set(each.stream, each)
      }
    },
    isParked: stream => parked.has(stream),
    note,
    forget(partition) {
      for (const stream of parked.keys()) {
        if (partitionOf(stream, partitions) === partition) parked.delete(stream)
      }
    },
    async tend(holdings) {
      const stored = new Map((await readStore.parked(follower)).map(each => [each.stream, each]))
      for (const each of new Map([...parked, ...stored]).values()) {
        const holding = holdings.find(({ partition }) => partition === partitionOf(each.stream, partitions))
        const isUnparked = !stored.has(each.stream)
        if (holding && (each.retry || isUnparked)) await retry(each, holding)
      }
    },
  }
}
