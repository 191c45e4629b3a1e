import { type JsonObject, StoreUnavailable } from '../event-store/event-store.ts'
import {
  type Documents,
  type Generation,
  generationFollower,
  type ReadStore,
} from '../read-store/read-store.ts'
import type { Projection } from './projection.ts'

/** A generation as one version of the code reads it. */
export type OpenGeneration<Document extends JsonObject, Index extends string = string> = {
  generation: Generation
  follower: string
  documents: Documents<Document, Index>
  /** Whether anybody holds the leases of all its partitions. */
  isFed: boolean
}

export type GenerationsInUse<Document extends JsonObject, Index extends string = string> = {
  /** What to read, null while the first one is being built. */
  readable: OpenGeneration<Document, Index> | null
  live: OpenGeneration<Document, Index> | null
  /** About to be the live one. */
  joining: OpenGeneration<Document, Index> | null
  /** The one before, while it is still fed: nodes with older code may read it. */
  previous: OpenGeneration<Document, Index> | null
}

/** Which generations of a projection are in use: read anew when what is known is older than `refreshMs`. */
export type GenerationWatch<Document extends JsonObject, Index extends string = string> = {
  /** Throws StoreUnavailable. */
  look(): Promise<GenerationsInUse<Document, Index>>
}

/** While nothing can be read, it is looked more often whether something can. */
const withoutLiveMs = 50

export function watchGenerations<Document extends JsonObject, Index extends string>(
  readStore: ReadStore,
  projection: Projection<Document, Index>,
  refreshMs = 1000,
): GenerationWatch<Document, Index> {
  let known: GenerationsInUse<Document, Index> | null = null
  let knownUntil = 0
  let looking: Promise<GenerationsInUse<Document, Index>> | null = null

  async function refresh(): Promise<GenerationsInUse<Document, Index>> {
    const startedAt = performance.now()
    const pointer = await readStore.pointer(projection.name)
    const generations = pointer ? await readStore.generations(projection.name) : []
    const find = async (number: number | null | undefined) => {
      const generation = generations.find(each => each.number === number)
      return generation ? open(generation) : null
    }
    const live = await find(pointer?.live)
    const joining = await find(pointer?.next?.phase === 'joining' ? pointer.next.number : null)
    const previous = await find(pointer?.previous?.fed ? pointer.previous.number : null)
    known = { readable: toRead(projection.version, live, previous), live, joining, previous }
    knownUntil = startedAt + (live ? refreshMs : Math.min(refreshMs, withoutLiveMs))
    return known
  }

  async function open(generation: Generation): Promise<OpenGeneration<Document, Index>> {
    const follower = generationFollower(generation)
    const leases = await readStore.leases(follower)
    const documents = readStore.open(generation, projection)
    const isFed = leases.length === generation.partitions && leases.every(lease => lease.owner !== null)
    return { generation, follower, documents, isFed }
  }

  return {
    async look() {
      if (known && performance.now() < knownUntil) return known
      looking ??= refresh().finally(() => {
        looking = null
      })
      return looking
    },
  }
}

/** The live one, unless newer code made it and there still is one that this code understands. */
function toRead<Open extends { generation: Generation }>(
  version: number,
  live: Open | null,
  previous: Open | null,
): Open | null {
  const isTooNew = live !== null && live.generation.version > version
  return isTooNew && previous && previous.generation.version <= version ? previous : live
}

/** The document as this version of the projection has it. */
export function understood<Document extends JsonObject>(
  projection: Pick<Projection<Document>, 'version' | 'understand'>,
  generation: Generation,
  document: Document,
): Document {
  return generation.version < projection.version && projection.understand
    ? projection.understand(document)
    : document
}

/** The generation to read from; throws StoreUnavailable while there is none yet. */
export async function readableGeneration<Document extends JsonObject, Index extends string>(
  watch: GenerationWatch<Document, Index>,
  name: string,
): Promise<OpenGeneration<Document, Index>> {
  const { readable } = await watch.look()
  if (!readable) throw new StoreUnavailable(`the read model ${name} is being built for the first time`)
  return readable
}
