import type { AllStreamResolvedEvent, EventData, ResolvedEvent } from '@eventstore/db-client'
import type { EventMetadata, JsonObject, NewEvent, RecordedEvent, StreamFilter } from './event-store.ts'

/** What positions are below; the server writes "none" as the highest unsigned number. */
const positionLimit = 2n ** 63n

export const isPosition = (position: bigint) => position >= 0n && position < positionLimit

/** An append as the client wants it, and its bytes as the server counts them against its maximum. */
export type Encoded = { events: EventData[]; bytes: number }

const utf8 = new TextEncoder()

/** `bytes` is exact if near or over `maximum`, and else too high. */
export function encode(newEvents: NewEvent[], maximum: number): Encoded {
  // The client takes metadata as bytes, which spares it a detour by base64; data it encodes itself.
  const events = newEvents.map(
    ({ id, type, data, metadata }): EventData => ({
      id,
      type,
      contentType: 'application/json',
      data,
      metadata: utf8.encode(JSON.stringify(metadata)),
    }),
  )
  const texts = newEvents.map(({ data }) => JSON.stringify(data))
  const besides = events.reduce(
    (bytes, { type, metadata }) => bytes + 2 * type.length + (metadata as Uint8Array).length,
    0,
  )
  const most = texts.reduce((bytes, text) => bytes + 3 * text.length, besides)
  const bytes = most <= maximum ? most : texts.reduce((sum, text) => sum + Buffer.byteLength(text), besides)
  return { events, bytes }
}

/**
 * An event of ours as read, or null for the server's own: links, metadata, tombstones. Data that is no JSON is handed
 * on as text, for readers to refuse by its event; metadata that is none says nothing.
 */
export function recordedEvent(resolved: ResolvedEvent | AllStreamResolvedEvent): RecordedEvent | null {
  const { event, commitPosition = 0n } = resolved
  if (!event || event.type.startsWith('$')) return null
  const { streamId, revision, id, type, data, metadata, isJson, position } = event
  return {
    id,
    type,
    data: (isJson ? data : Buffer.from(data as Uint8Array).toString()) as JsonObject,
    metadata: (metadata instanceof Uint8Array ? {} : (metadata ?? {})) as EventMetadata,
    stream: streamId,
    revision,
    position: position && isPosition(position.commit) ? position.commit : commitPosition,
  }
}

/** What a record of `$all` is to whoever reads it; null: nothing. */
export type Decode = (resolved: ResolvedEvent) => RecordedEvent | null

/** Where a record of `$all` stands, of whatever kind. */
export function positionOf({ event, link, commitPosition }: ResolvedEvent): bigint | null {
  const position = commitPosition ?? (link ?? event)?.position?.commit
  return position !== undefined && isPosition(position) ? position : null
}

export function passes(event: RecordedEvent, filter: StreamFilter | undefined): boolean {
  if (!filter) return true
  const isOfType = !filter.types || filter.types.includes(event.type)
  return isOfType && filter.prefixes.some(prefix => event.stream.startsWith(prefix))
}
