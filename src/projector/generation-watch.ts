import { type JsonObject, StoreUnavailable } from '../event-store/event-store.ts'
import {
  type Documents,
  type Generation,
  generationFollower,
  type Pointer,
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
  /** All that some reader may use now or soon. */
  read: OpenGeneration<Document, Index>[]
}

/** Which generations of a projection are in use: read anew when what is known is older than `refreshMs`. */
export type GenerationWatch<Document extends JsonObject, Index extends string = string> = {
  /** Throws StoreUnavailable. */
  look(): Promise<GenerationsInUse<Document, Index>>
}

export function watchGenerations<Document extends JsonObject, Index extends string>(
  readStore: ReadStore,
  projection: Projection<Document, Index>,
  refreshMs = 1000,
): GenerationWatch<Document, Index> {
  let known: GenerationsInUse<Document, Index> | null = null
  let knownAt = 0
  let looking: Promise<GenerationsInUse<Document, Index>> | null = null

  async function refresh(): Promise<GenerationsInUse<Document, Index>> {
    const startedAt = performance.now()
    const pointer = await readStore.pointer(projection.name)
    const numbers = pointer ? numbersInUse(pointer) : []
    const generations = numbers.length > 0 ? await readStore.generations(projection.name) : []
    const opened: OpenGeneration<Document, Index>[] = []
    for (const number of numbers) {
      const generation = generations.find(each => each.number === number)
      if (generation) opened.push(await open(generation))
    }
    known = { readable: toRead(projection.version, pointer, opened), read: opened }
    knownAt = startedAt
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
      if (known && performance.now() - knownAt < refreshMs) return known
      looking ??= refresh().finally(() => {
        looking = null
      })
      return looking
    },
  }
}

/** The live one; the one about to be; the one before, as long as it is fed: nodes with older code read that. */
function numbersInUse({ live, next, previous }: Pointer): number[] {
  const joining = next && (next.phase === 'joining' || live === null) ? next.number : null
  const fed = previous?.fed ? previous.number : null
  return [...new Set([live, joining, fed])].filter(number => number !== null)
}

/** The live one, unless newer code made it and there still is one that this code understands. */
function toRead<Document extends JsonObject, Index extends string>(
  version: number,
  pointer: Pointer | null,
  opened: readonly OpenGeneration<Document, Index>[],
): OpenGeneration<Document, Index> | null {
  const live = opened.find(({ generation }) => generation.number === pointer?.live) ?? null
  if (!live || live.generation.version <= version) return live
  const previous = opened.find(({ generation }) => generation.number === pointer?.previous?.number)
  return previous && previous.generation.version <= version ? previous : live
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
