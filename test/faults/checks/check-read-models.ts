import { isDeepStrictEqual } from 'node:util'
import type { Recorded } from '../../../src/account/recorded.ts'
import type { JsonObject } from '../../../src/event-store/event-store.ts'
import { openReadStore } from '../../../src/open-stores.ts'
import type { Projection } from '../../../src/projector/projection.ts'
import type { ReadStore, StoredDocument } from '../../../src/read-store/read-store.ts'
import { projections } from '../../../src/roster.ts'
import type { Truth } from '../world/world.ts'

/** `lagging`: documents may be behind the log, but must be what they were at their revision. */
type Strictness = 'caught up' | 'lagging'

/** Where the read models differ from the fold of the log. */
export async function readModelDifferences(
  truth: Truth,
  log: ReadonlyMap<string, Recorded[]>,
  strictness: Strictness,
): Promise<string[]> {
  const store = await openReadStore(truth)
  try {
    const parked = await store.parked()
    const found = parked.map(({ follower, stream, error }) => `${follower} has parked ${stream}: ${error}`)
    for (const projection of projections)
      found.push(...(await differences(store, projection, log, strictness)))
    return found
  } finally {
    await store.close()
  }
}

async function differences(
  store: ReadStore,
  projection: Projection<JsonObject>,
  log: ReadonlyMap<string, Recorded[]>,
  strictness: Strictness,
): Promise<string[]> {
  const pointer = await store.pointer(projection.name)
  const generation = (await store.generations(projection.name)).find(({ number }) => number === pointer?.live)
  if (!generation) return [`${projection.name} has no live generation`]
  const stored = await allDocuments(store, generation, projection)
  const found: string[] = []
  for (const [stream, events] of log) {
    if (!projection.streams.some(prefix => stream.startsWith(prefix))) continue
    for (const key of new Set(events.flatMap(event => keysOf(projection, event)))) {
      const actual = stored.get(key)
      stored.delete(key)
      const own = events.filter(event => keysOf(projection, event).includes(key))
      const upTo = strictness === 'lagging' ? (actual?.revision ?? -1n) : (own.at(-1)?.revision ?? -1n)
      const expected = own
        .filter(({ revision }) => revision <= upTo)
        .reduce<JsonObject | null>((document, event) => after(projection, key, document, event), null)
      // Of what was removed there may be nothing left.
      const isBehind = expected !== null && (actual?.revision ?? -1n) < upTo
      if (!isDeepStrictEqual(actual?.document ?? null, expected) || isBehind)
        found.push(
          `${projection.name} ${key}: expected ${JSON.stringify(expected)} at ${upTo}, ` +
            `found ${JSON.stringify(actual?.document ?? null)} at ${actual?.revision ?? 'none'}`,
        )
    }
  }
  // What was removed may be of events that were truncated since.
  const left = [...stored.values()].filter(({ document }) => document !== null)
  return [...found, ...left.map(({ key }) => `${projection.name} ${key} is in no stream`)]
}

/** The documents that an event changes or removes. */
function keysOf(projection: Projection<JsonObject>, event: Recorded): string[] {
  const key = projection.key(event)
  return [...(key === null ? [] : [key]), ...(projection.removes?.(event) ?? [])]
}

function after(
  projection: Projection<JsonObject>,
  key: string,
  document: JsonObject | null,
  event: Recorded,
): JsonObject | null {
  const evolved = projection.key(event) === key ? projection.evolve(document, event) : document
  return projection.removes?.(event).includes(key) ? null : evolved
}

async function allDocuments(
  store: ReadStore,
  generation: Parameters<ReadStore['open']>[0],
  projection: Projection<JsonObject>,
): Promise<Map<string, StoredDocument<JsonObject>>> {
  const documents = store.open(generation, projection)
  const all = new Map<string, StoredDocument<JsonObject>>()
  for (let after: string | null = null; ; ) {
    const page: StoredDocument<JsonObject>[] = await documents.scan({ limit: 1000, after })
    for (const document of page) all.set(document.key, document)
    const last = page.at(-1)
    if (!last) return all
    after = last.key
  }
}
