import type { JsonObject } from '../event-store/event-store.ts'
import type { FoundBy } from '../projector/projection.ts'
import { createBooks } from './mongodb-books.ts'
import { collectionsIn } from './mongodb-collections.ts'
import {
  clientOptions,
  connectMongodb,
  type MongodbTiming,
  patient,
  type Warn,
} from './mongodb-connection.ts'
import { createCounts, prepareCounts } from './mongodb-counts.ts'
import { createDocuments } from './mongodb-documents.ts'
import { createGenerations } from './mongodb-generations.ts'
import { createLeases } from './mongodb-leases.ts'
import { clientFor } from './mongodb-url.ts'
import { type Documents, type Generation, generationFollower, type ReadStore } from './read-store.ts'

export type MongodbOptions = {
  /** `mongodb://…/database`; `roster` where it names no database. */
  url: string
  /** Read stores with different prefixes share a database and know nothing of each other. */
  prefix?: string
  log?: Warn
  timing?: Partial<MongodbTiming>
}

/**
 * The read store in MongoDB 6 or later, one server or a replica set, which any number of processes may use. Does not
 * wait for the server: as long as it is not there, calls throw StoreUnavailable. Throws at once if the URL is wrong.
 */
export async function openMongodbReadStore({
  url,
  prefix = '',
  log,
  ...options
}: MongodbOptions): Promise<ReadStore> {
  const timing = { ...patient, ...options.timing }
  const opened = clientFor(url, clientOptions(timing))
  const collections = collectionsIn(opened.client.db(opened.database), prefix)
  const books = createBooks(collections)
  const leases = createLeases(collections)
  const generations = createGenerations(collections)
  const parts = { collections, books, leases, generations }
  const documentsOf = new Map<string, { foundBy: unknown; documents: unknown }>()

  const { run, isDown, close } = connectMongodb(opened, {
    timing,
    ...(log ? { log } : {}),
    async prepare() {
      await books.prepare()
      await leases.prepare()
      await generations.prepare()
      await prepareCounts(collections.counts)
    },
  })

  function open<Document extends JsonObject, Index extends string>(
    generation: Generation,
    foundBy: FoundBy<Document, Index>,
  ): Documents<Document, Index> {
    const name = generationFollower(generation)
    const known = documentsOf.get(name)
    if (known?.foundBy === foundBy) return known.documents as Documents<Document, Index>
    const documents = createDocuments({ run }, parts, generation, foundBy)
    documentsOf.set(name, { foundBy, documents })
    return documents
  }

  return {
    open,

    pointer: projection => run('reading the pointers', () => books.pointer(projection)),
    movePointer: pointer => run('moving a pointer', () => books.movePointer(pointer)),

    generations: projection => run('reading the generations', () => generations.ready(projection)),
    createGeneration: generation => run('making a generation', () => generations.create(generation)),
    dropGeneration: (projection, number) => {
      documentsOf.delete(generationFollower({ projection, number }))
      return run('dropping a generation', () => generations.drop({ projection, number }))
    },

    leases: follower => run('reading leases', () => leases.all(follower)),
    createLeases: (follower, partitions, logId) =>
      run('making leases', () => leases.create(follower, partitions, logId)),
    takeLease: (seen, owner) => run('taking a lease', () => leases.take(seen, owner)),
    renewLeases: (follower, progress) => run('renewing leases', () => leases.renew(follower, progress)),
    releaseLeases: (follower, progress) => run('releasing leases', () => leases.release(follower, progress)),

    beat: (worker, feeds) => run('beating', () => books.beat(worker, feeds)),
    workers: () => run('reading the workers', () => books.workers()),
    removeWorker: worker => run('removing a worker', () => books.removeWorker(worker)),

    parked: follower => run('reading parked streams', () => books.parked(follower)),
    requestRetry: (follower, stream) => run('asking for a retry', () => books.requestRetry(follower, stream)),
    unpark: (follower, stream) => run('unparking a stream', () => books.unpark(follower, stream)),

    counts: createCounts({ run }, collections.counts, timing),

    // What MongoDB keeps of it in its files and its oplog is overwritten in its own time.
    purge: async () => {},

    isDown,
    close,
  }
}
