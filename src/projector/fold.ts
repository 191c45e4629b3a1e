import type { Recorded } from '../account/recorded.ts'
import type { JsonObject, RecordedEvent } from '../event-store/event-store.ts'
import type { StoredDocument } from '../read-store/read-store.ts'
import type { Projection } from './projection.ts'

/** An event that goes to a document, perhaps to remove it whatever it is. */
export type Keyed = { key: string; event: Recorded; removes: boolean }

/** An event that cannot be applied, and why. */
export type Unapplied = { event: RecordedEvent; key: string | null; error: unknown }

/** Pairs events with their documents, in order, stopping a stream at its first event that cannot be read. */
export function keyEvents<Document extends JsonObject>(
  projection: Pick<Projection<Document>, 'key' | 'removes'>,
  events: readonly RecordedEvent[],
  toRecorded: (event: RecordedEvent) => Recorded,
): { keyed: Keyed[]; unapplied: Unapplied[] } {
  const keyed: Keyed[] = []
  const unapplied = new Map<string, Unapplied>()
  for (const event of events) {
    if (unapplied.has(event.stream)) continue
    try {
      const recorded = toRecorded(event)
      const key = projection.key(recorded)
      if (key !== null) keyed.push({ key, event: recorded, removes: false })
      for (const each of projection.removes?.(recorded) ?? []) {
        keyed.push({ key: each, event: recorded, removes: true })
      }
    } catch (error) {
      unapplied.set(event.stream, { event, key: null, error })
    }
  }
  return { keyed, unapplied: [...unapplied.values()] }
}

/**
 * The documents after events, given those stored before. Events that a document has seen are passed over; a stream
 * stops at its first event that cannot be applied.
 */
export function foldEvents<Document extends JsonObject>(
  projection: Pick<Projection<Document>, 'evolve' | 'indexes'>,
  events: readonly Keyed[],
  stored: ReadonlyMap<string, StoredDocument<Document>>,
): { writes: StoredDocument<Document>[]; unapplied: Unapplied[] } {
  const written = new Map<string, StoredDocument<Document>>()
  const unapplied = new Map<string, Unapplied>()
  for (const { key, event, removes } of events) {
    const { stream, revision } = event
    if (unapplied.has(stream)) continue
    const before = written.get(key) ?? stored.get(key)
    if (before && before.stream === stream && before.revision >= revision) continue
    try {
      if (before && before.stream !== stream) {
        throw new Error(`document ${key} is fed by ${before.stream}, found an event for it in ${stream}`)
      }
      const document = removes ? null : projection.evolve(before?.document ?? null, event)
      // One that cannot be found by all that it is to be found by cannot be stored.
      if (document) for (const valueIn of Object.values(projection.indexes)) valueIn(document)
      written.set(key, { key, stream, revision, document })
    } catch (error) {
      unapplied.set(stream, { event, key, error })
    }
  }
  return { writes: [...written.values()], unapplied: [...unapplied.values()] }
}
