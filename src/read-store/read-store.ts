import type { JsonObject, Position, Revision } from '../event-store/event-store.ts'
import type { FoundBy } from '../projector/projection.ts'

/**
 * The read store port: the documents of read models, and the books of who feeds them. Two adapters implement it,
 * `sqlite.ts` and `mongodb.ts`; both pass `test/read-store/conformance.ts`. Every method throws StoreUnavailable
 * when the store does not answer.
 */
export interface ReadStore {
  /** The documents of a generation that was created. Opening costs nothing and reads nothing. */
  open<Document extends JsonObject, Index extends string>(
    generation: Generation,
    foundBy: FoundBy<Document, Index>,
  ): Documents<Document, Index>

  /** Which generations of a projection are used for what, or null before the first. */
  pointer(projection: string): Promise<Pointer | null>
  /** Stores `pointer` if the stored one still has epoch `pointer.epoch - 1` (0: if there is none). */
  movePointer(pointer: Pointer): Promise<boolean>

  /** All generations of a projection that were created and not dropped, oldest first. */
  generations(projection: string): Promise<Generation[]>
  /** Makes an empty generation with its indexes. Doing it again changes nothing. */
  createGeneration(generation: Generation): Promise<void>
  /**
   * Removes a generation with its documents, leases and parked streams. Doing it again changes nothing. Where that is
   * long work for this process, it takes no more than `share` of its time, all of it if left out.
   */
  dropGeneration(projection: string, number: number, share?: number): Promise<void>

  /** The leases of a follower, by partition. */
  leases(follower: string): Promise<Lease[]>
  /** Makes those leases that are missing, free, before all of the log. */
  createLeases(follower: string, partitions: number, logId: string): Promise<void>
  /** Takes a lease for `owner` if its epoch and renewals are still as seen; null if they are not. */
  takeLease(seen: Lease, owner: string): Promise<Lease | null>
  /** Renews leases and moves their checkpoints. Returns the partitions whose epoch is not as given: lost. */
  renewLeases(follower: string, progress: readonly Progress[]): Promise<number[]>
  /** Like `renewLeases`, and frees them at once. */
  releaseLeases(follower: string, progress: readonly Progress[]): Promise<void>

  /** Shows that a worker lives, and which followers it can feed. */
  beat(worker: string, feeds: readonly string[]): Promise<void>
  workers(): Promise<Worker[]>
  removeWorker(worker: string): Promise<void>

  /** The parked streams of a follower, or of all; in the order of their streams. */
  parked(follower?: string): Promise<ParkedStream[]>
  /** Asks whoever holds the lease to try a parked stream again. False if it is not parked. */
  requestRetry(follower: string, stream: string): Promise<boolean>
  /** The stream was applied to its end. */
  unpark(follower: string, stream: string): Promise<void>

  /** Counts that all processes share; null where a store is one machine's, and each process may count by itself. */
  readonly counts: SharedCounts | null

  /**
   * Makes sure that nothing of what was removed is left in the store's own files, where it has any. Throws StoreUnavailable
   * while somebody still reads what was before.
   */
  purge(): Promise<void>

  /** Whether the store is known to be out of reach at this moment, by what was last heard of it. */
  isDown(): boolean
  close(): Promise<void>
}

/** What rate-limiter-flexible uses of a collection: `key` is unique, and rows go some time after their `expire`. */
export type SharedCounts = {
  findOneAndUpdate(filter: { key: string }, update: object): Promise<object>
  findOne(filter: { key: string }): Promise<object | null>
  deleteOne(filter: { key: string }): Promise<{ deletedCount: number }>
}

/** The documents of one generation. */
export interface Documents<Document extends JsonObject, Index extends string = string> {
  /** So many events are best applied at a time. */
  readonly batchSize: number
  get(key: string): Promise<Document | null>
  /** The same with the revision of the last event that fed it; the latter of the first in the order of the keys. */
  getAt(key: string): Promise<AtRevision<Document> | null>
  findAt(index: Index, value: string): Promise<AtRevision<Document> | null>
  /** The documents with this value in an index, in the order of their keys, at most 100. */
  find(index: Index, value: string): Promise<Document[]>
  /** Documents in the order of an index, then of their keys, both in UTF-8 byte order. */
  list(index: Index, range: ListRange): Promise<Listed<Document>[]>
  /**
   * The documents whose value in the searched index contains `text` (all that have one, if it is empty): first those
   * that begin with it (what equals it comes first by itself), then the rest, each in UTF-8 byte order of value and
   * key. Text that is no valid Unicode, or holds NUL, is found nowhere.
   */
  search(text: string, page: { limit: number; after: SearchPlace | null }): Promise<SearchPage<Document>>
  /** Every document, removed ones too, in UTF-8 byte order of the keys. */
  scan(page: { limit: number; after: string | null }): Promise<StoredDocument<Document>[]>
  /** The documents among `keys` that were ever written, removed ones too. */
  read(keys: readonly string[]): Promise<Map<string, StoredDocument<Document>>>
  /** Where documents stand, in the order asked for. */
  standings(asked: readonly { key: string; stream: string }[]): Promise<Standing[]>

  /**
   * Hands what is stored under `keys` to `fold`, writes what it returns, and moves the checkpoints. A document is
   * written only if what is stored then has a lower revision; parked streams are noted before checkpoints move.
   * Returns the partitions whose epoch was not as given: their checkpoints did not move, and any part of the
   * documents may be unwritten, so whoever still holds other partitions applies those again. SQLite does all of
   * it or nothing.
   */
  apply(batch: ApplyBatch<Document>): Promise<number[]>
  /**
   * Makes up for what `searchLater` put off, for the documents whose streams belong to the caller, who applies nothing
   * to them meanwhile. Takes a while, in small steps; stops early when `signal` aborts or a lease is lost, and
   * returns the partitions lost. Doing it again is harmless.
   */
  completeSearch(options: CompleteSearch): Promise<number[]>
  /** Begins to hold what documents are found by against what they are to be found by. */
  checkIndexes(): Promise<IndexCheck>
  /**
   * Stores a document as it should have been, whatever its revision, with all that it is found by; null: removes it
   * altogether. Only to repair what `verify` found: does nothing and resolves to false if what is stored under the key
   * has not the revision `found` any more (null: nothing is stored).
   */
  repair(key: string, found: Revision | null, right: StoredDocument<Document> | null): Promise<boolean>
}

export type IndexCheck = {
  /**
   * Those of the keys whose documents are stored, and not found by all that they are to be found by. What `searchLater`
   * put off counts as missing.
   */
  unfindable(keys: readonly string[]): Promise<string[]>
  /**
   * The entries of indexes by which no document is to be found, gone then with `remove`. To be asked for once `unfindable`
   * was asked of every stored document, each once. Finds none that exactly as many others have hidden by going meanwhile.
   */
  strays(options: { remove: boolean; signal: AbortSignal }): AsyncGenerator<Stray>
}

/** An entry of an index, by the key of its document, which may not be there. */
export type Stray = { index: string; key: string }

export type AtRevision<Document> = { revision: Revision; document: Document }

export type StoredDocument<Document> = {
  key: string
  /** The stream that feeds the document, and the revision of its last event in it. */
  stream: string
  revision: Revision
  /** Null: removed. */
  document: Document | null
}

export type ApplyBatch<Document> = {
  keys: readonly string[]
  /** Those of the keys whose stream begins in this batch: nothing is stored for them, unless it is done again. */
  newKeys?: ReadonlySet<string>
  /** Pure, and quick: SQLite holds its write lock meanwhile. */
  fold(stored: ReadonlyMap<string, StoredDocument<Document>>): Folded<Document>
  /** The follower whose leases and parked streams these are. */
  follower: string
  progress: readonly Progress[]
  /** Documents need not be found yet but by key: a store that fills indexes better at once may put that off. */
  searchLater: boolean
}

export type CompleteSearch = {
  follower: string
  held: readonly Pick<Progress, 'partition' | 'epoch'>[]
  belongs(stream: string): boolean
  signal: AbortSignal
}

/** `writes` has each key once. */
export type Folded<Document> = {
  writes: readonly StoredDocument<Document>[]
  parked: readonly ParkedStream[]
}

export type ListRange = {
  /** Bounds of the index value, both inclusive; left out: none. */
  from?: string
  to?: string
  direction: 'ascending' | 'descending'
  limit: number
  after: { value: string; key: string } | null
}
export type Listed<Document> = { value: string; key: string; document: Document }

/** A place in a search's order; `among` the documents that begin with the text, or the rest. */
export type SearchPlace = { among: 'beginnings' | 'rest'; value: string; key: string }
export type SearchPage<Document> = { documents: Document[]; next: SearchPlace | null }

/** `revision`: null if the document was never written. `parked`: its stream is, so nothing more will come. */
export type Standing = { revision: Revision | null; parked: boolean }

/** A read model as built once by one version of a projection from one log. Never changed after it was created. */
export type Generation = {
  projection: string
  /** From 1, never used twice for a projection. */
  number: number
  version: number
  partitions: number
  logId: string
  indexes: readonly string[]
  /** The index whose values are searched. */
  searched: string | null
  /** Why it was made, for people. */
  reason: string
  /** ISO 8601. */
  createdAt: string
}

/** The follower that feeds a generation. */
export function generationFollower(generation: Pick<Generation, 'projection' | 'number'>): string {
  return `${generation.projection}.${generation.number}`
}

/** Which generations of a projection are used for what. Changed only by compare-and-set on `epoch`. */
export type Pointer = {
  projection: string
  epoch: number
  /** The highest number that a generation was ever given. */
  lastNumber: number
  /** Readers read this one. */
  live: number | null
  /** To become the live one; `joining` once writers are to wait for it as well. */
  next: { number: number; phase: 'building' | 'joining'; pin: boolean } | null
  /** The live one before: fed for a while after the swap, then kept as it is for a way back. */
  previous: { number: number; fed: boolean } | null
  /** Rolled back by hand: no newer version is built by itself. */
  pinned: boolean
}

/**
 * The right to feed one partition of a follower, and how far it got. `epoch` grows when the lease changes hands,
 * `renewals` with each sign of life; there is no clock time in it.
 */
export type Lease = {
  follower: string
  partition: number
  epoch: number
  owner: string | null
  renewals: number
  logId: string
} & Checkpoint

export type Checkpoint = {
  /** Everything up to here is done. */
  checkpoint: Position
  /** There was nothing left to do when it was written. */
  caughtUp: boolean
  /** What `searchLater` put off has been made up for. */
  searchable: boolean
  /** An event that was applied: whether the log is still the same one can be told by it. */
  witness: Witness | null
}

export type Witness = { stream: string; revision: Revision; id: string }

/** What the holder of a lease has to say about its partition. */
export type Progress = { partition: number; epoch: number } & Checkpoint

export type Worker = { id: string; beats: number; feeds: string[] }

/** A stream one of whose events cannot be applied, at `revision`; the later ones wait. */
export type ParkedStream = {
  follower: string
  stream: string
  revision: Revision
  key: string | null
  error: string
  /** ISO 8601. */
  since: string
  retry: boolean
}
