import type { Batch, EventStore, RecordedEvent, Revision } from './event-store.ts'

/** An event as another log had it. Its position is not part of it: that belongs to the store. */
export type TransferredEvent = Omit<RecordedEvent, 'position'>

/** An event with its data and metadata as canonical JSON (RFC 8785). */
export type EventText = Omit<RecordedEvent, 'data' | 'metadata'> & { data: string; metadata: string }

/** A batch of events in any form: see `Batch`. */
export type BatchOf<E> = Omit<Batch, 'events'> & { events: E[] }

/** What moving a log from one store to another needs, beyond what the service does every day. */
export interface LogTransfer {
  /**
   * Writes events of another log in this order, at the very revisions they had there; resolves once they are durable.
   * One beyond its stream's end makes its stream begin there: what came before is truncated. Events that are there
   * already, or are truncated here, are passed over, so doing it again changes nothing. Throws RevisionConflict if
   * another event stands at a revision, and EventTooLarge.
   */
  restore(events: readonly TransferredEvent[]): Promise<void>

  /** `readAll` without understanding what is read, so that a log of millions of events is copied quickly. */
  readTexts(options?: Parameters<EventStore['readAll']>[0]): AsyncIterable<BatchOf<EventText>>

  /** The streams whose truncated events `readAll` and `readTexts` may still hand out, and where they begin now. */
  truncations(): AsyncIterable<Truncation>
}

export type Truncation = { stream: string; before: Revision }

/** A log that can be moved. */
export type WholeEventStore = EventStore & LogTransfer

/** Batches of a whole log without what is truncated, whatever the store still keeps of it. */
export async function* untruncated<E extends { stream: string; revision: Revision }>(
  store: LogTransfer,
  batches: AsyncIterable<BatchOf<E>>,
): AsyncGenerator<BatchOf<E>> {
  const beginnings = new Map<string, Revision>()
  for await (const { stream, before } of store.truncations()) beginnings.set(stream, before)
  const isReadable = ({ stream, revision }: E) => revision >= (beginnings.get(stream) ?? 0n)
  for await (const batch of batches) {
    yield beginnings.size === 0 ? batch : { ...batch, events: batch.events.filter(isReadable) }
  }
}
