import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { Filter } from './filter.ts'
import type { LogRecord } from './log.ts'
import type { Place, ReadResponse } from './read.ts'

export function streamName(identifier: StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString()
}

export function identifierOf(stream: string): StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream))
}

export function uuidText(uuid: UUID | undefined): string {
  const structured = uuid?.getStructured()
  if (!structured) return uuid?.getString().toLowerCase() ?? ''
  const hex = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
    .map(bits => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0'))
    .join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const unsigned = (position: bigint) => BigInt.asUintN(64, position).toString()

function recordedEvent(record: LogRecord): ReadResp.ReadEvent.RecordedEvent {
  const message = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(record.id))
    .setStreamIdentifier(identifierOf(record.stream))
    .setStreamRevision(record.revision.toString())
    .setCommitPosition(unsigned(record.position))
    .setPreparePosition(unsigned(record.position))
    .setData(record.data)
    .setCustomMetadata(record.metadata)
  message
    .getMetadataMap()
    .set('type', record.type)
    .set('created', String(record.created.getTime() * 10_000))
    .set('content-type', record.isJson ? 'application/json' : 'application/octet-stream')
  return message
}

type Answer = Exclude<ReadResponse, { is: 'stream-deleted' }>

/** Records as they go over the wire: the log keeps them as they are, and they are read again and again. */
const encoded = new WeakMap<LogRecord, Buffer>()

/** The bytes of an answer; a deleted stream has none, it is an error. */
export function readAnswer(response: Answer, stream: string): Buffer {
  const record = response.is === 'event' && response.resolved.link === null ? response.resolved.event : null
  const known = record && encoded.get(record)
  if (known) return known
  const bytes = Buffer.from(readResp(response, stream).serializeBinary())
  if (record) encoded.set(record, bytes)
  return bytes
}

function readResp(response: Answer, stream: string): ReadResp {
  const message = new streams.ReadResp()
  switch (response.is) {
    case 'event': {
      const { event, link } = response.resolved
      const read = new streams.ReadResp.ReadEvent()
      if (event) read.setEvent(recordedEvent(event))
      if (link) read.setLink(recordedEvent(link))
      const original = link ?? event
      if (original) read.setCommitPosition(unsigned(original.position))
      return message.setEvent(read)
    }
    case 'checkpoint':
      return message.setCheckpoint(
        new streams.ReadResp.Checkpoint()
          .setCommitPosition(unsigned(response.place.commit))
          .setPreparePosition(unsigned(response.place.prepare)),
      )
    case 'confirmation':
      return message.setConfirmation(
        new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(response.id),
      )
    case 'caught-up':
      return message.setCaughtUp(new streams.ReadResp.CaughtUp())
    case 'stream-not-found':
      return message.setStreamNotFound(
        new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream)),
      )
  }
}

export function filterOf(options: ReadReq.Options): Filter | null {
  const filter = options.getFilter()
  if (!filter) return null
  const on = filter.hasStreamIdentifier() ? 'stream' : 'type'
  const expression = filter.getStreamIdentifier() ?? filter.getEventType()
  const regex = expression?.getRegex()
  return {
    on,
    by: regex ? { regex: new RegExp(regex) } : { prefixes: expression?.getPrefixList() ?? [] },
  }
}

/** A place in `$all`; the highest number stands for the end. */
export function placeFrom(options: ReadReq.Options): Place | 'start' | 'end' {
  const all = options.getAll()
  const position = all?.getPosition()
  if (!position) return all?.hasEnd() ? 'end' : 'start'
  const place = {
    commit: BigInt.asIntN(64, BigInt(position.getCommitPosition())),
    prepare: BigInt.asIntN(64, BigInt(position.getPreparePosition())),
  }
  return place.commit === -1n ? 'end' : place
}
