import type { Recorded } from '../account/recorded.ts'

/**
 * A read model as data and a pure fold. A document is fed by the events of one stream; every event with a key
 * moves the document's revision, whether it changes the document or not.
 */
export type Projection<Document> = {
  name: string
  /** Raise it whenever `evolve`, `key` or an index changes: a rebuild follows by itself. */
  version: number
  /** Prefixes of the streams it reads. */
  streams: readonly string[]
  /** Which document an event belongs to, or null: not this projection's. */
  key(event: Recorded): string | null
  /** `document` is null before the first event; returning null removes it. */
  evolve(document: Document | null, event: Recorded): Document | null
  /** Values by which documents are found, one row for each; null: not in this index. */
  indexes: Readonly<Record<string, (document: Document) => string | null>>
  /** The text whose substrings are searched, null if this document is not found by search. */
  searchKey?(document: Document): string | null
}
