import { isDeepStrictEqual } from 'node:util'
import type { Recorded } from '../../src/account/recorded.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import type { JsonObject } from '../../src/event-store/event-store.ts'
import { readFile } from '../../src/open-stores.ts'
import { foldEvents, type Keyed, keyEvents } from '../../src/projector/fold.ts'
import type { Projection } from '../../src/projector/projection.ts'
import type { ReadStore, StoredDocument } from '../../src/read-store/read-store.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { projections } from '../../src/roster.ts'

/** `lagging`: documents may be behind the log, but must be what they were at their revision. */
type Strictness = 'caught up' | 'lagging'

/** Where the read models of a DATA_DIR differ from the fold of its log. */
export async function readModelDifferences(
  dataDir: string,
  log: ReadonlyMap<string, Recorded[]>,
  strictness: Strictness,
): Promise<string[]> {
  const store = await openSqliteReadStore(readFile(dataDir))
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
    for (const [key, keyed] of byKey(projection, events)) {
      const actual = stored.get(key)
      stored.delete(key)
      const last = keyed.at(-1)?.event.revision ?? -1n
      const upTo = strictness === 'lagging' ? (actual?.revision ?? -1n) : last
      const seen = keyed.filter(({ event }) => event.revision <= upTo)
      const expected = foldEvents(projection, seen, new Map()).writes[0]?.document ?? null
      if (!isDeepStrictEqual(actual?.document ?? null, expected) || (actual?.revision ?? -1n) < upTo)
        found.push(
          `${projection.name} ${key}: expected ${JSON.stringify(expected)} at ${upTo}, ` +
            `found ${JSON.stringify(actual?.document ?? null)} at ${actual?.revision ?? 'none'}`,
        )
    }
  }
  return [...found, ...[...stored.keys()].map(key => `${projection.name} ${key} is in no stream`)]
}

function byKey(projection: Projection<JsonObject>, events: readonly Recorded[]): Map<string, Keyed[]> {
  const { keyed } = keyEvents(projection, events, toRecorded)
  const found = new Map<string, Keyed[]>()
  for (const each of keyed) found.set(each.key, [...(found.get(each.key) ?? []), each])
  return found
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
