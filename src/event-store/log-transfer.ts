import {
  type Batch,
  type EventStore,
  type RecordedEvent,
  type Revision,
  RevisionConflict,
} from './event-store.ts'
import { withStreamPrefix } from './prefixed.ts'

/** An event as another log had it. Its position is not part of it: that belongs to the store. */
export type TransferredEvent = Omit<RecordedEvent, 'position'>

/** What moving a log from one store to another needs, beyond what the service does every day. */
export interface LogTransfer {
  /**
   * Writes events of another log in this order, at the very revisions they had there; resolves once they are durable.
   * One beyond its stream's end makes its stream begin there: what came before is truncated. Events that are there
   * already, or are truncated here, are passed over, so doing it again changes nothing. Throws RevisionConflict if
   * another event stands at a revision, and EventTooLarge.
   */
  restore(events: readonly TransferredEvent[]): Promise<void>

  /** The streams whose truncated events `readAll` may still hand out, and the revision they begin at. */
  truncations(): AsyncIterable<Truncation>
}

export type Truncation = { stream: string; before: Revision }

/** A log that can be moved. */
export type WholeEventStore = EventStore & LogTransfer

/** `withStreamPrefix` for a log that can be moved. */
export function wholeWithStreamPrefix(store: WholeEventStore, prefix: string): WholeEventStore {
  if (prefix === '') return store
  return {
    ...withStreamPrefix(store, prefix),

    async restore(events) {
      try {
        await store.restore(events.map(event => ({ ...event, stream: prefix + event.stream })))
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error
        throw new RevisionConflict(error.stream.slice(prefix.length), error.expected, error.actual)
      }
    },

    async *truncations() {
      for await (const { stream, before } of store.truncations()) {
        if (stream.startsWith(prefix)) yield { stream: stream.slice(prefix.length), before }
      }
    },
  }
}

/** The whole log in order without what is truncated, whatever the store still keeps of it. */
export async function* readUntruncated(
  store: WholeEventStore,
  options: Parameters<EventStore['readAll']>[0] = {},
): AsyncGenerator<Batch> {
  const beginnings = new Map<string, Revision>()
  for await (const { stream, before } of store.truncations()) beginnings.set(stream, before)
  for await (const batch of store.readAll(options)) {
    yield beginnings.size === 0 ? batch : { ...batch, events: batch.events.filter(isReadable) }
  }

  function isReadable(event: RecordedEvent): boolean {
    return event.revision >= (beginnings.get(event.stream) ?? 0n)
  }
}
