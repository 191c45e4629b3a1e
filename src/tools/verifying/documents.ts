import { isDeepStrictEqual } from 'node:util'
import { toRecorded } from '../../account/upcasters.ts'
import type { EventStore, JsonObject, Position, Revision } from '../../event-store/event-store.ts'
import { foldEvents, keyEvents } from '../../projector/fold.ts'
import type { Projection } from '../../projector/projection.ts'
import { partitionOf } from '../../projector/stable-hash.ts'
import { compareUtf8 } from '../../read-store/compare-utf8.ts'
import {
  type Documents,
  type Generation,
  generationFollower,
  type ReadStore,
  type StoredDocument,
} from '../../read-store/read-store.ts'
import type { Finding, Report } from './finding.ts'
import { allOf, type ScratchDocuments } from './scratch.ts'

type Stored = StoredDocument<JsonObject>
type Place = Pick<Stored, 'key' | 'stream'>
/** `isTold`: that it is not as it should be. */
type Compared = Place & { isTold: boolean }

export type Comparing = {
  eventStore: EventStore
  readStore: ReadStore
  projection: Projection<JsonObject>
  /** The live one. */
  generation: Generation
  /** What the log says. */
  truth: Pick<ScratchDocuments<JsonObject>, 'scan'>
  /** Whether to write what differs as it should be. */
  repair: boolean
  report: Report
  onDocument?(): void
  /** Stops before the end. */
  signal: AbortSignal
}

/** The more, the less often the same part of an index is read. */
const documentsAtOnce = 5000

export type Comparison = { documents: number; behind: number; repaired: number }

/**
 * Goes through the read model and what the log says of it side by side. Where one is further than the other, the stream
 * is folded to the same revision; what its worker has not come to yet is `behind`, and no difference.
 */
export async function compareDocuments(comparing: Comparing): Promise<Comparison> {
  const { readStore, projection, generation, truth, report } = comparing
  const live = readStore.open(generation, projection)
  const isBehind = await createIsBehind(comparing)
  const check = await live.checkIndexes()
  const result: Comparison = { documents: 0, behind: 0, repaired: 0 }

  let unchecked: Compared[] = []

  async function settle(finding: Finding | 'behind' | null, place: Place): Promise<void> {
    result.documents++
    comparing.onDocument?.()
    if (finding === 'behind') result.behind++
    const isTold = finding !== null && finding !== 'behind'
    if (isTold) await tell(finding, place)
    unchecked.push({ key: place.key, stream: place.stream, isTold })
    if (unchecked.length >= documentsAtOnce) await checkFindable()
  }

  /** What is stored as it should be, but is not found, is as good as missing. */
  async function checkFindable(): Promise<void> {
    const unfindable = new Set(await check.unfindable(unchecked.map(({ key }) => key)))
    for (const { key, stream, isTold } of unchecked) {
      const finding = { kind: 'unfindable', projection: projection.name, key, stream } as const
      if (unfindable.has(key) && !isTold) await tell(finding, { key, stream })
    }
    unchecked = []
  }

  /** What is in an index and no document is to be found by. */
  async function tellStrays(): Promise<void> {
    for await (const stray of check.strays({ remove: comparing.repair, signal: comparing.signal })) {
      await report({ kind: 'stray', projection: projection.name, ...stray })
      if (comparing.repair) result.repaired++
    }
  }

  async function tell(finding: Finding, { key, stream }: Place): Promise<void> {
    await report(finding)
    if (comparing.repair && (await repair(comparing, live, key, stream))) result.repaired++
  }

  for await (const [expected, found] of merged(allOf(truth), allOf(live))) {
    if (comparing.signal.aborted) return result
    if (expected && found) await settle(await differing(comparing, expected, found, isBehind), expected)
    else if (expected) await settle(await missing(comparing, expected, isBehind), expected)
    else if (found) await settle(await extra(comparing, found, isBehind), found)
  }
  await checkFindable()
  await tellStrays()
  for (const { stream, key, error } of await readStore.parked(generationFollower(generation))) {
    await report({ kind: 'parked', projection: projection.name, key, stream, problem: error })
  }
  return result
}

type IsBehind = (stream: string, from: Revision) => Promise<boolean>

/** Whether the worker of a stream has not come to its revision `from` yet. */
async function createIsBehind({ eventStore, readStore, generation }: Comparing): Promise<IsBehind> {
  const leases = await readStore.leases(generationFollower(generation))
  const checkpoints = new Map<number, Position>(leases.map(lease => [lease.partition, lease.checkpoint]))
  return async (stream, from) => {
    const [event] = await eventStore.readStream(stream, { from, limit: 1 })
    const checkpoint = checkpoints.get(partitionOf(stream, generation.partitions)) ?? -1n
    return event !== undefined && event.position > checkpoint
  }
}

async function differing(
  comparing: Comparing,
  expected: Stored,
  found: Stored,
  isBehind: IsBehind,
): Promise<Finding | 'behind' | null> {
  const { name: projection } = comparing.projection
  const { key, stream } = found
  if (stream !== expected.stream) {
    const problem = `expected it to be fed by ${expected.stream}, found ${stream}`
    return { kind: 'misplaced', projection, key, stream: expected.stream, problem }
  }
  const right = expected.revision === found.revision ? expected : await foldTo(comparing, found)
  // Of what was truncated meanwhile the log does not say any more what it was.
  const isTold = found.revision === expected.revision || (await isReadable(comparing, found))
  if (isTold && !isDeepStrictEqual(right.document, found.document)) {
    return {
      kind: 'differing',
      projection,
      key,
      stream,
      paths: differingPaths(right.document, found.document),
    }
  }
  const problem = (revision: Revision) =>
    `expected revision ${revision} of ${stream}, found ${found.revision}`
  if (isTold && found.revision > right.revision) {
    // Its worker would pass over the events up to there.
    return { kind: 'misplaced', projection, key, stream, problem: problem(right.revision) }
  }
  if (found.revision >= expected.revision) return null
  const next = await nextRevision(comparing, key, stream, found.revision + 1n)
  if (next !== null && (await isBehind(stream, next))) return 'behind'
  return { kind: 'stale', projection, key, stream, problem: problem(expected.revision) }
}

async function missing(
  comparing: Comparing,
  expected: Stored,
  isBehind: IsBehind,
): Promise<Finding | 'behind' | null> {
  const { key, stream, document } = expected
  if (document === null) return null
  const first = await nextRevision(comparing, key, stream, 0n)
  if (first !== null && (await isBehind(stream, first))) return 'behind'
  return { kind: 'missing', projection: comparing.projection.name, key, stream }
}

/** From a revision on, the first of an event of a document; null if there is none, or it was truncated since. */
async function nextRevision(
  { eventStore, projection }: Pick<Comparing, 'eventStore' | 'projection'>,
  key: string,
  stream: string,
  from: Revision,
): Promise<Revision | null> {
  for (let start = from; ; ) {
    const page = await eventStore.readStream(stream, { from: start, limit: 500 })
    const last = page.at(-1)
    if (!last) return null
    const { keyed } = keyEvents(projection, page, toRecorded)
    const first = keyed.find(event => event.key === key)
    if (first) return first.event.revision
    start = last.revision + 1n
  }
}

/** Whether the log still has the event that a document was written at. */
async function isReadable({ eventStore }: Comparing, { stream, revision }: Stored): Promise<boolean> {
  const [first] = await eventStore.readStream(stream, { limit: 1 })
  return first !== undefined && first.revision <= revision
}

/** It may have come since the log was read, and its user have been erased since it was looked at. */
async function extra(
  comparing: Comparing,
  found: Stored,
  isBehind: IsBehind,
): Promise<Finding | 'behind' | null> {
  const { key, stream, revision, document } = found
  if (isDeepStrictEqual((await foldTo(comparing, found)).document, document)) return null
  if (!(await isReadable(comparing, found)) && (await isBehind(stream, revision + 1n))) return 'behind'
  return { kind: 'extra', projection: comparing.projection.name, key, stream }
}

/**
 * What the stream of a document says at its revision; at the stream's end if it does not reach so far, or before the
 * first event that cannot be applied.
 */
async function foldTo(
  { eventStore, projection }: Pick<Comparing, 'eventStore' | 'projection'>,
  { key, stream, revision }: Pick<Stored, 'key' | 'stream' | 'revision'>,
): Promise<Stored> {
  const folded = new Map<string, Stored>()
  for (let from = 0n; from <= revision; ) {
    const page = await eventStore.readStream(stream, { from, limit: 500 })
    const last = page.at(-1)
    if (!last) break
    const { keyed, unapplied } = keyEvents(
      projection,
      page.filter(event => event.revision <= revision),
      toRecorded,
    )
    const next = foldEvents(projection, keyed, folded)
    for (const document of next.writes) folded.set(document.key, document)
    if (unapplied.length > 0 || next.unapplied.length > 0) break
    from = last.revision + 1n
  }
  return folded.get(key) ?? { key, stream, revision: -1n, document: null }
}

/**
 * Writes the document as the end of its stream has it; again if its worker has written it since it was looked at, or
 * writes an older one meanwhile.
 */
async function repair(
  comparing: Comparing,
  live: Documents<JsonObject>,
  key: string,
  stream: string,
): Promise<boolean> {
  for (let tries = 0; tries < 10; tries++) {
    const before = (await live.read([key])).get(key)
    const end = await foldTo(comparing, { key, stream, revision: 2n ** 62n })
    const right = end.revision < 0n ? null : end
    if (!(await live.repair(key, before?.revision ?? null, right))) continue
    const after = (await live.read([key])).get(key)
    if (isDeepStrictEqual(after ?? null, right)) return true
  }
  return false
}

/** Pairs what has the same key; both are in UTF-8 byte order of their keys. */
async function* merged(
  expected: AsyncGenerator<Stored>,
  found: AsyncGenerator<Stored>,
): AsyncGenerator<[Stored | null, Stored | null]> {
  const next = async (from: AsyncGenerator<Stored>) => {
    const { value, done } = await from.next()
    return done ? null : value
  }
  let [a, b] = [await next(expected), await next(found)]
  while (a || b) {
    const order = a && b ? compareUtf8(a.key, b.key) : a ? -1 : 1
    yield [order <= 0 ? a : null, order >= 0 ? b : null]
    if (order <= 0) a = await next(expected)
    if (order >= 0) b = await next(found)
  }
}

/** Where two values differ, as paths like `profile.bio`; `` if they differ altogether. */
function differingPaths(expected: unknown, found: unknown, path = ''): string[] {
  if (isDeepStrictEqual(expected, found)) return []
  if (!isObject(expected) || !isObject(found)) return [path === '' ? 'all of it' : path]
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])]
  return names.flatMap(name =>
    differingPaths(expected[name], found[name], path === '' ? name : `${path}.${name}`),
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
