import { canonicalJson } from './canonical-json.ts'
import { EventTooLarge, type NewEvent, type RecordedEvent } from './event-store.ts'
import type { EventText } from './log-transfer.ts'

export const columns = 'position, stream, revision, id, type, data, metadata'

/** A row of `columns`, as better-sqlite3 gives it raw and with safe integers. */
export type Row = [
  position: bigint,
  stream: string,
  revision: bigint,
  id: string,
  type: string,
  data: string,
  metadata: string,
]

/** An event as it is written, its JSON made: canonical JSON, so that exports need not write it anew. */
export type EncodedEvent = { id: string; type: string; data: string; metadata: string }

/** The events of one append as they are written. Throws EventTooLarge if they take more than `maxBytes`. */
export function encode(stream: string, events: NewEvent[], maxBytes: number): EncodedEvent[] {
  if (events.length === 0)
    throw new RangeError(`expected at least one event to append to ${stream}, found none`)
  const encoded = events.map(({ id, type, data, metadata }) => ({
    id,
    type,
    data: canonicalJson(data),
    metadata: canonicalJson(metadata),
  }))
  // A UTF-16 unit is at most three bytes of UTF-8, so most appends need no exact count.
  if (3 * total(encoded, text => text.length) > maxBytes) {
    const bytes = total(encoded, text => Buffer.byteLength(text))
    if (bytes > maxBytes) throw new EventTooLarge(stream, bytes, maxBytes)
  }
  return encoded
}

function total(events: EncodedEvent[], size: (text: string) => number): number {
  let sum = 0
  for (const { type, data, metadata } of events) sum += size(type) + size(data) + size(metadata)
  return sum
}

export function decode([position, stream, revision, id, type, data, metadata]: Row): RecordedEvent {
  return {
    id,
    type,
    data: parse(data),
    metadata: parse(metadata),
    stream,
    revision,
    position,
  } as RecordedEvent
}

export function textOf([position, stream, revision, id, type, data, metadata]: Row): EventText {
  return { id, type, data, metadata, stream, revision, position }
}

/** Text that is no JSON is handed on as it is, as EventStoreDB's client does: readers then refuse that event. */
function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}
