/**
 * The event log port. Two adapters implement it, `sqlite.ts` and `eventstoredb.ts`; both pass
 * `test/event-store/conformance.ts`. Revisions and positions are bigint here and strings outside.
 */

/** A stream's count from 0. `noStream` (-1) stands for a stream that has no event yet. */
export type Revision = bigint
export const noStream: Revision = -1n

/** A place in the whole log: grows with every event, may have gaps. `beforeAll` comes before every event. */
export type Position = bigint
export const beforeAll: Position = -1n

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
export type JsonObject = { [name: string]: Json }

export type Actor = number | 'operator' | 'system'

/** What is stored beside an event's data. `time` is ISO 8601, `version` the schema version of the data. */
export type EventMetadata = {
  userId?: number
  actor: Actor
  time: string
  $correlationId: string
  $causationId: string
  version: number
}

export type NewEvent = {
  /** A UUID. The same ids appended at the same expected revision are stored once. */
  id: string
  type: string
  data: JsonObject
  metadata: EventMetadata
}

export type RecordedEvent = NewEvent & { stream: string; revision: Revision; position: Position }

/**
 * `checkpoint`: everything up to there that passes the filter has been handed out, in this batch or before.
 * `caughtUp`: when the batch was made there was nothing after it. `events` may be empty in either case.
 */
export type Batch = { events: RecordedEvent[]; checkpoint: Position; caughtUp: boolean }

export type AppendResult = { revision: Revision }

/**
 * Streams whose name begins with one of these, and of them the events of these types (any, if left out). No filter
 * means every stream of the log.
 */
export type StreamFilter = { prefixes: readonly string[]; types?: readonly string[] }

export interface EventStore {
  /**
   * Appends all of `events` or none. Resolves once they are durable. `expected` is the stream's last revision
   * (`noStream` for none). Repeating an append of the same ids at the same expected revision resolves as the
   * first did. Throws RevisionConflict, EventTooLarge, or StoreUnavailable when it cannot be known by `deadline`
   * (`performance.now()` milliseconds) that it was done: then it may have been.
   */
  append(stream: string, events: NewEvent[], expected: Revision, deadline?: number): Promise<AppendResult>

  /**
   * At most `limit` events of a stream, from `from` on (inclusive; the first or the last if left out) in the
   * direction given. A missing stream is an empty one. Sees every append acknowledged before it, on any node.
   */
  readStream(stream: string, options?: ReadStreamOptions): Promise<RecordedEvent[]>

  /** The whole log in order, after `from` (exclusive), in batches; ends when it has caught up. */
  readAll(options?: { after?: Position; filter?: StreamFilter; signal?: AbortSignal }): AsyncIterable<Batch>

  /**
   * Like `readAll`, but goes on for ever with what is appended, here or in any other process, until `signal`
   * aborts; then it ends normally. No gap, no duplicate, in order. Survives the store's outages by itself. Throws
   * LogReplaced if it is noticed that this is not the log any more in which `after` was handed out.
   */
  subscribe(options: { after: Position; filter?: StreamFilter; signal: AbortSignal }): AsyncIterable<Batch>

  /** The position of the last event in the log, `beforeAll` if it is empty. */
  head(): Promise<Position>

  /** Makes the events of a stream before revision `before` unreadable; the stream's revisions go on as they were. */
  truncate(stream: string, before: Revision): Promise<void>

  /**
   * Makes sure that nothing of what was truncated is left in the store's own files, where it has any. Throws
   * StoreUnavailable while somebody still reads what was before. EventStoreDB does it by scavenging, which its operators
   * start: there this does nothing.
   */
  purge(): Promise<void>

  /** Ends subscriptions and frees everything. Appends under way finish first. */
  close(): Promise<void>
}

export type ReadStreamOptions = {
  from?: Revision
  direction?: 'forwards' | 'backwards'
  limit?: number
  deadline?: number
}

/** The stream was not where the caller thought. Nothing was appended. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict'
  readonly stream: string
  readonly expected: Revision
  readonly actual: Revision
  constructor(stream: string, expected: Revision, actual: Revision) {
    super(`expected revision ${expected}, stream ${stream} is at ${actual}`)
    this.stream = stream
    this.expected = expected
    this.actual = actual
  }
}

/** The store cannot take an append of this size. Nothing was appended. */
export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge'
  constructor(stream: string, bytes: number, maximum: number) {
    super(`append of ${bytes} bytes to ${stream}, the store takes at most ${maximum}`)
  }
}

/** A store (this one or a read store) did not answer, or not in time. An append's outcome is then unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** The log ends before a position that it once handed out: it is another, or an older copy of itself. */
export class LogReplaced extends StoreUnavailable {}
