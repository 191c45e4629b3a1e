import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject } from '../../event-store/event-store.ts'
import { newGeneration } from '../../projector/generation-requests.ts'
import {
  type Documents,
  generationFollower,
  type ReadStore,
  type StoredDocument,
} from '../../read-store/read-store.ts'
import { openSqliteReadStore } from '../../read-store/sqlite.ts'

/** Documents of this process alone, in a file, so that memory does not grow with them. */
export type Scratch = {
  documents<Document extends JsonObject>(name: string): Promise<ScratchDocuments<Document>>
}

export type ScratchDocuments<Document extends JsonObject> = Pick<Documents<Document>, 'read' | 'scan'> & {
  /** Writes what `fold` makes of what is stored under `keys`. */
  change(
    keys: readonly string[],
    fold: (stored: ReadonlyMap<string, StoredDocument<Document>>) => readonly StoredDocument<Document>[],
  ): Promise<void>
}

/**
 * A file without a name: SQLite makes one in TMPDIR that is gone when this process ends, however it ends.
 */
const nameless = ''

/** Runs `use` with a scratch, of which nothing is left afterwards. */
export async function withScratch<T>(use: (scratch: Scratch) => Promise<T>): Promise<T> {
  const store = await openSqliteReadStore(nameless)
  try {
    return await use({ documents: name => scratchDocuments(store, name) })
  } finally {
    await store.close()
  }
}

async function scratchDocuments<Document extends JsonObject>(
  store: ReadStore,
  name: string,
): Promise<ScratchDocuments<Document>> {
  const found = { name, version: 1, indexes: {} }
  const made = { number: 1, partitions: 1, logId: '', reason: 'verify', now: 0 }
  const generation = newGeneration(found, made)
  await store.createGeneration(generation)
  const documents = store.open<Document, never>(generation, { indexes: {} })
  const follower = generationFollower(generation)
  return {
    read: documents.read,
    scan: documents.scan,
    async change(keys, fold) {
      const folded = (stored: ReadonlyMap<string, StoredDocument<Document>>) => ({
        writes: fold(stored),
        parked: [],
      })
      await documents.apply({ keys, fold: folded, follower, progress: [], searchLater: true })
    },
  }
}

/** Every document in the order of the keys. */
export async function* allOf<Document extends JsonObject>(
  documents: Pick<Documents<Document>, 'scan'>,
): AsyncGenerator<StoredDocument<Document>> {
  for (let after: string | null = null; ; ) {
    const page: StoredDocument<Document>[] = await documents.scan({ limit: 1000, after })
    yield* page
    // SQLite holds up the event loop, and no signal would be heard.
    await nextTurn()
    const last = page.at(-1)
    if (!last) return
    after = last.key
  }
}
