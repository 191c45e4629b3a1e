import { Readable } from 'node:stream'
import {
  type AllStreamResolvedEvent,
  BACKWARDS,
  type ReadStreamOptions as ClientReadOptions,
  END,
  type EventData,
  FORWARDS,
  type ResolvedEvent,
  StreamDeletedError,
  type StreamingRead,
  StreamNotFoundError,
} from '@eventstore/db-client'
import { beforeAll, noStream, type Position, type Revision, type StreamFilter } from './event-store.ts'
import { type Call, type Connection, Refused } from './eventstoredb-connection.ts'
import { type Decode, passes, positionOf } from './eventstoredb-events.ts'
import { refusal } from './eventstoredb-failures.ts'

/** Far off, as the server compares it with its own clock, which may be another than ours. `persist` has the real one. */
const serverDeadlineMs = 600_000

/**
 * Appends at exactly `expected`. When it cannot be known whether an attempt was carried out, the next one sends the same
 * ids at the same revision, which the server knows again, until `deadline`; `retried` is told of each.
 */
export function appendTo(
  connection: Connection,
  append: { stream: string; events: EventData[]; expected: Revision; bytes: number; deadline: number },
  retried = () => {},
): Promise<Revision> {
  const { stream, events, expected, deadline } = append
  let attempts = 0
  const expectedRevision = expected === noStream ? ('no_stream' as const) : expected
  return connection.persist(`append to ${stream}`, deadline, async ({ client }) => {
    if (attempts++ > 0) retried()
    try {
      const options = { expectedRevision, deadline: serverDeadlineMs }
      const { nextExpectedRevision } = await client.appendToStream(stream, events, options)
      return nextExpectedRevision
    } catch (error) {
      const reason = refusal(error, append)
      throw reason ? new Refused(reason) : error
    }
  })
}

/** A part of a stream, as its leader has it. A missing, deleted or tombstoned stream is an empty one. */
export function readFrom(
  connection: Connection,
  stream: string,
  options: Pick<ClientReadOptions, 'direction' | 'fromRevision' | 'maxCount'>,
  deadline: number,
): Promise<ResolvedEvent[]> {
  return connection.persist(`read of ${stream}`, deadline, async call => {
    try {
      return await collect(call, call.client.readStream(stream, { ...options, requiresLeader: true }))
    } catch (error) {
      if (error instanceof StreamNotFoundError || error instanceof StreamDeletedError) return []
      throw error
    }
  })
}

/** The position of the last record of the whole log. */
export async function readHead(connection: Connection, deadline: number): Promise<Position> {
  const read = () =>
    connection.persist('read of the end of the log', deadline, call =>
      collect<AllStreamResolvedEvent>(
        call,
        call.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1, requiresLeader: true }),
      ),
    )
  // A real log is never empty, but a read that the server cuts short looks like one that found nothing.
  const [last = (await read())[0]] = await read()
  return (last && positionOf(last)) ?? beforeAll
}

export type Ahead = {
  /** Something that passes the filter comes after `position`, up to `end`. */
  isNew: boolean
  /** Nothing does up to here. */
  upTo: Position
  /** What was looked for: as far as the leader's log went, if nothing else was given. */
  end: Position
}

/** Looks through the next `records`, at most, between `position` and `end`. */
export async function lookAhead(
  connection: Connection,
  {
    position,
    end,
    records,
    deadline,
  }: { position: Position; end: Position | undefined; records: number; deadline: number },
  { filter, decode }: { filter: StreamFilter | undefined; decode: Decode },
): Promise<Ahead> {
  // Asked for, as fewer records than wanted are no sign of the end: the server may have cut the read short.
  const last = end ?? (await readHead(connection, deadline))
  if (position >= last) return { isNew: false, upTo: position, end: last }
  const from = position < 0n ? 0n : position
  const read = await connection.persist('read of what is new in the log', deadline, call =>
    collect<AllStreamResolvedEvent>(
      call,
      call.client.readAll({
        direction: FORWARDS,
        fromPosition: { commit: from, prepare: from },
        maxCount: records,
        requiresLeader: true,
      }),
    ),
  )
  let upTo = position
  for (const resolved of read) {
    const found = positionOf(resolved)
    if (found === null || found <= position) continue
    if (found > last) return { isNew: false, upTo: last, end: last }
    const event = decode(resolved)
    if (event && passes(event, filter)) return { isNew: true, upTo, end: last }
    upTo = found
  }
  return { isNew: false, upTo, end: last }
}

async function collect<E>(call: Call, read: StreamingRead<E>): Promise<E[]> {
  // Stays to the end: an error that nobody listens to would end the process.
  read.on('error', () => {})
  // Given up, the call behind it would wait to be read to its end, and the client for the call when it is closed.
  read.on('unpipe', behind => behind instanceof Readable && behind.resume())
  call.onGivenUp(() => {
    read.cancel().catch(() => {})
    read.destroy()
  })
  const events: E[] = []
  for await (const event of read) {
    call.heard()
    events.push(event)
  }
  return events
}
