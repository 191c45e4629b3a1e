import type { Recorded } from '../account/recorded.ts'
import type { JsonObject } from '../event-store/event-store.ts'

/**
 * A read model as data and a pure fold. A document is fed by the events of one stream; every event with its key
 * moves the document's revision, whether it changes the document or not.
 */
export type Projection<Document extends JsonObject, Index extends string = string> = {
  name: string
  /** Raise it whenever `key`, `evolve` or what is found by changes: a rebuild follows by itself. */
  version: number
  /**
   * How long events may wait for others, to be applied together, in milliseconds; 0 if left out. For read models that
   * nobody waits for right after a command: what most commands cost is then shared by many.
   */
  restMs?: number
  /** Prefixes of the streams it reads. */
  streams: readonly string[]
  /** Which document an event belongs to, or null: not this projection's. */
  key(event: Recorded): string | null
  /** `document` is null before the first event and once removed; returning null removes it. Throws: parked. */
  evolve(document: Document | null, event: Recorded): Document | null
  /** Documents of its stream that an event removes, besides what it does to its own. */
  removes?(event: Recorded): readonly string[]
  /** The document as this version has it, of one that the version before wrote: read until the rebuild is done. */
  understand?(document: JsonObject): Document
} & FoundBy<Document, Index>

/** By what documents are found, besides their keys. */
export type FoundBy<Document, Index extends string = string> = {
  /** Values by which documents are looked up or listed in order; null: not in this index. */
  indexes: Readonly<Record<Index, IndexValue<Document>>>
  /** The index whose values are searched for substrings. */
  searched?: Index
}

/** A method's type, so that a projection of some documents is a projection of documents. */
export type IndexValue<Document> = { of(document: Document): string | null }['of']
