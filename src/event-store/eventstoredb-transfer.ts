import { BACKWARDS, type EventData, type ResolvedEvent } from '@eventstore/db-client'
import { uuid5 } from '../account/event-ids.ts'
import { canonicalJson } from './canonical-json.ts'
import {
  type Batch,
  EventTooLarge,
  type NewEvent,
  type RecordedEvent,
  type Revision,
  RevisionConflict,
} from './event-store.ts'
import { appendTo, readFrom } from './eventstoredb-calls.ts'
import type { Connection } from './eventstoredb-connection.ts'
import { encode, recordedEvent } from './eventstoredb-events.ts'
import { raiseTruncation } from './eventstoredb-truncation.ts'
import type { BatchOf, EventText, TransferredEvent, Truncation } from './log-transfer.ts'

export type Transferring = {
  reads: Connection
  appends: Connection
  maxAppendBytes: number
  deadline(): number
}

/** Takes the place of events that are truncated where they came from; as the server's own types, it is never shown. */
const fillerType = '$filler'
const eventsPerAppend = 500

/** Events of another log, one after the other, because only so their order is sure: a thousand or so each second. */
export async function restore(server: Transferring, events: readonly TransferredEvent[]): Promise<void> {
  for (const run of runsOf(events, server.maxAppendBytes)) await restoreRun(server, run)
}

async function restoreRun(server: Transferring, run: Run): Promise<void> {
  const { stream, first } = run
  try {
    await appendRun(server, run, run.events)
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error
    const { actual } = error
    if (actual < first - 1n) {
      await beginAt(server, stream, first, actual)
      await appendRun(server, run, run.events)
      return
    }
    const there = run.events.slice(0, Number(actual - first) + 1)
    await requireSame(server, run, there, actual)
    const missing = run.events.slice(there.length)
    if (missing.length > 0) await appendRun(server, { ...run, first: actual + 1n }, missing)
  }
}

async function appendRun(server: Transferring, run: Run, events: readonly NewEvent[]): Promise<void> {
  const { stream, first } = run
  const encoded = encode([...events], server.maxAppendBytes)
  await appendTo(server.appends, { ...encoded, stream, expected: first - 1n, deadline: server.deadline() })
}

/**
 * A stream cannot begin above 0 but by truncation, so its missing revisions are filled. Truncated first, so that
 * whatever happens in between, a filler is never taken for the stream's beginning.
 */
async function beginAt(server: Transferring, stream: string, first: Revision, last: Revision): Promise<void> {
  await raiseTruncation(server, stream, first, server.deadline())
  for (let from = last + 1n; from < first; ) {
    const events: EventData[] = []
    for (let at = from; at < first && events.length < eventsPerAppend; at++) events.push(filler(stream, at))
    const append = { stream, events, expected: from - 1n, bytes: 0, deadline: server.deadline() }
    from = (await appendTo(server.appends, append)) + 1n
  }
}

function filler(stream: string, revision: Revision): EventData {
  const id = uuid5(`filler ${stream} ${revision}`)
  return { id, type: fillerType, contentType: 'application/json', data: {}, metadata: undefined }
}

/** Throws RevisionConflict if other events stand where these should; truncated ones are passed over. */
async function requireSame(
  { reads, deadline }: Transferring,
  { stream, first }: Run,
  events: readonly NewEvent[],
  actual: Revision,
): Promise<void> {
  const last = first + BigInt(events.length) - 1n
  const options = { direction: BACKWARDS, fromRevision: last, maxCount: events.length } as const
  for (const { event } of await readFrom(reads, stream, options, deadline())) {
    const wanted = event && event.revision >= first ? events[Number(event.revision - first)] : undefined
    if (wanted && wanted.id !== event?.id) {
      throw new RevisionConflict(stream, (event?.revision ?? first) - 1n, actual)
    }
  }
}

type Run = { stream: string; first: Revision; events: NewEvent[]; bytes: number }

/** Events that follow one another in a stream go into one append, as long as the server takes it. */
function* runsOf(events: readonly TransferredEvent[], maxBytes: number): Generator<Run> {
  let run: Run | undefined
  for (const event of events) {
    const { bytes } = encode([event], maxBytes)
    if (bytes > maxBytes) throw new EventTooLarge(event.stream, bytes, maxBytes)
    const isNext = run?.stream === event.stream && run.first + BigInt(run.events.length) === event.revision
    if (run && isNext && run.bytes + bytes <= maxBytes && run.events.length < eventsPerAppend) {
      run.events.push(event)
      run.bytes += bytes
      continue
    }
    if (run) yield run
    run = { stream: event.stream, first: event.revision, events: [event], bytes }
  }
  if (run) yield run
}

/** Batches of what `metadataEvent` gives, as the streams they tell of. */
export async function* truncationsIn(batches: AsyncIterable<Batch>): AsyncGenerator<Truncation> {
  for await (const { events, caughtUp } of batches) {
    for (const { stream, data } of events) {
      const before = data.$tb
      if (typeof before === 'number') yield { stream: stream.slice('$$'.length), before: BigInt(before) }
    }
    if (caughtUp) return
  }
}

/** A stream's metadata as if it were an event of ours, null for everything else. */
export function metadataEvent(resolved: ResolvedEvent): RecordedEvent | null {
  const { event } = resolved
  if (event?.type !== '$metadata') return null
  return recordedEvent({ ...resolved, event: { ...event, type: 'metadata' } })
}

/** Batches of events as batches of texts. */
export async function* textsOf(batches: AsyncIterable<Batch>): AsyncGenerator<BatchOf<EventText>> {
  for await (const batch of batches) {
    const events = batch.events.map(event => ({
      ...event,
      data: canonicalJson(event.data),
      metadata: canonicalJson(event.metadata),
    }))
    yield { ...batch, events }
  }
}
