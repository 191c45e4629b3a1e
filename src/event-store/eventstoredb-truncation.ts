import { randomUUID } from 'node:crypto'
import { BACKWARDS, END, type EventData } from '@eventstore/db-client'
import { noStream, type Revision, RevisionConflict } from './event-store.ts'
import { appendTo, readFrom } from './eventstoredb-calls.ts'
import type { Connection } from './eventstoredb-connection.ts'

const lastEvent = { direction: BACKWARDS, fromRevision: END, maxCount: 1 } as const

/**
 * Raises `$tb` in the stream's metadata, and leaves everything else in there as it is. Never beyond the stream's last
 * event, so that what is appended later can be read.
 */
export async function truncateBefore(
  { reads, appends }: { reads: Connection; appends: Connection },
  stream: string,
  before: Revision,
  deadline: number,
): Promise<void> {
  const [last] = await readFrom(reads, stream, lastEvent, deadline)
  const revision = (last?.link ?? last?.event)?.revision
  if (revision === undefined) return
  await raiseTruncation({ reads, appends }, stream, before <= revision ? before : revision + 1n, deadline)
}

/** Like `truncateBefore`, at any revision: what is appended up to there will not be readable either. */
export async function raiseTruncation(
  { reads, appends }: { reads: Connection; appends: Connection },
  stream: string,
  bound: Revision,
  deadline: number,
): Promise<void> {
  for (;;) {
    const [current] = await readFrom(reads, `$$${stream}`, lastEvent, deadline)
    const metadata = objectOf(current?.event?.data)
    const { $tb } = metadata
    if (typeof $tb === 'number' && $tb >= bound) return
    const event: EventData = {
      id: randomUUID(),
      type: '$metadata',
      contentType: 'application/json',
      data: { ...metadata, $tb: Number(bound) },
      metadata: undefined,
    }
    try {
      const expected = current?.event?.revision ?? noStream
      await appendTo(appends, { stream: `$$${stream}`, events: [event], expected, bytes: 0, deadline })
      return
    } catch (error) {
      // Somebody else changed the metadata meanwhile: what they wrote is kept.
      if (!(error instanceof RevisionConflict)) throw error
    }
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
