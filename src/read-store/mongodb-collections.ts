import type { Collection, Db } from 'mongodb'
import type { CountRow } from './mongodb-counts.ts'
import {
  type Generation,
  generationFollower,
  type Lease,
  type ParkedStream,
  type Pointer,
} from './read-store.ts'

/**
 * A document of a generation. It is kept as JSON text, because BSON knows no half surrogate pairs and no field names
 * like `$a` that a query would not misread; what it is found by lies beside it. A removed one keeps its revision.
 */
export type StoredRow = {
  _id: string
  stream: string
  revision: bigint
  json?: string
  removed?: true
  /** Values by the names of indexes. */
  by?: Readonly<Record<string, string>>
  /** Each once, of the value that is searched. */
  suffixes?: readonly string[]
}

export type GenerationRow = {
  _id: string
  projection: string
  number: number
  /** `ready` once its indexes are there, `dropping` until all of it is gone. */
  state: 'making' | 'ready' | 'dropping'
  generation: Generation
}
export type PointerRow = { _id: string; epoch: number; pointer: Pointer }
/** The checkpoint is text, because EventStoreDB's positions go up to 2^64. */
export type LeaseRow = Omit<Lease, 'checkpoint'> & { _id: string; checkpoint: string }
export type WorkerRow = { _id: string; beats: number; feeds: readonly string[] }
export type ParkedRow = ParkedStream & { _id: string }

/** The collections of a read store, apart from those of others with another prefix in the same database. */
export type Collections = ReturnType<typeof collectionsIn>

const plainName = /^[a-z][a-z0-9_]*$/i

export function collectionsIn(db: Db, prefix: string) {
  const begin = prefix === '' ? '' : `${encodedPrefix(prefix)}/`
  return {
    generations: db.collection<GenerationRow>(`${begin}generations`),
    pointers: db.collection<PointerRow>(`${begin}pointers`),
    leases: db.collection<LeaseRow>(`${begin}leases`),
    workers: db.collection<WorkerRow>(`${begin}workers`),
    parked: db.collection<ParkedRow>(`${begin}parked`),
    // Of no use once a server was lost that had them alone: not worth waiting for the others.
    counts: db.collection<CountRow>(`${begin}counts`, { writeConcern: { w: 1 } }),

    documents(generation: Pick<Generation, 'projection' | 'number'>): Collection<StoredRow> {
      return db.collection<StoredRow>(
        begin + generationFollower({ ...generation, projection: plain(generation.projection) }),
      )
    },

    drop: (name: string) => db.dropCollection(name),

    /** The names of the collections of generations that are there, whether anybody knows of them or not. */
    async existingDocuments(): Promise<Set<string>> {
      const all = await db.listCollections({}, { nameOnly: true }).toArray()
      const ours = all.map(({ name }) => name).filter(name => name.startsWith(begin))
      return new Set(ours.filter(name => /^[a-z][a-z0-9_]*\.\d+$/i.test(name.slice(begin.length))))
    },
  }
}

/** The field by which documents are found in an index. */
export function indexField(index: string): string {
  return `by.${plain(index)}`
}

function plain(name: string): string {
  if (!plainName.test(name)) throw new Error(`expected letters, digits and underscores, found "${name}"`)
  return name
}

/** So that no prefix is misread as a part of a collection's name. */
function encodedPrefix(prefix: string): string {
  return encodeURIComponent(prefix).replaceAll('.', '%2E')
}
