import type { AllStreamResolvedEvent, EventData, ResolvedEvent } from '@eventstore/db-client'
import type { EventMetadata, JsonObject, NewEvent, RecordedEvent, StreamFilter } from './event-store.ts'

/** What positions are below; the server writes "none" as the highest unsigned number. */
const positionLimit = 2n ** 63n

export const isPosition = (position: bigint) => position >= 0n && position < positionLimit

/** As the client wants it. */
export function eventData({ id, type, data, metadata }: NewEvent): EventData {
  return { id, type, contentType: 'application/json', data, metadata }
}

/** Bytes of an append as the server counts them against its maximum. Exact only if near or over `maximum`. */
export function appendBytes(events: NewEvent[], maximum: number): number {
  const texts = events.map(({ data, metadata }) => JSON.stringify(data) + JSON.stringify(metadata))
  const types = events.reduce((bytes, { type }) => bytes + 2 * type.length, 0)
  const most = texts.reduce((bytes, text) => bytes + 3 * text.length, types)
  return most <= maximum ? most : texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), types)
}

/**
 * An event of ours as read, or null for the server's own: links, metadata, tombstones. Data that is no JSON is handed
 * on as text, for readers to refuse by its event.
 */
export function recordedEvent(resolved: ResolvedEvent | AllStreamResolvedEvent): RecordedEvent | null {
  const { event, commitPosition = 0n } = resolved
  if (!event || event.type.startsWith('$')) return null
  const { streamId, revision, id, type, data, metadata, isJson, position } = event
  return {
    id,
    type,
    data: (isJson ? data : Buffer.from(data as Uint8Array).toString()) as JsonObject,
    metadata: metadata as EventMetadata,
    stream: streamId,
    revision,
    position: position && isPosition(position.commit) ? position.commit : commitPosition,
  }
}

/** Where a record of `$all` stands, of whatever kind. */
export function positionOf({ event, link, commitPosition }: ResolvedEvent): bigint | null {
  const position = commitPosition ?? (link ?? event)?.position?.commit
  return position !== undefined && isPosition(position) ? position : null
}

export function passes(stream: string, filter: StreamFilter | undefined): boolean {
  return !filter || filter.prefixes.some(prefix => stream.startsWith(prefix))
}
