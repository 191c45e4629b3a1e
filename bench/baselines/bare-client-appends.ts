import { randomUUID } from 'node:crypto'
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client'
import type { NewEvent } from '../../src/event-store/event-store.ts'
import type { Side } from '../measuring/comparison.ts'

export const appendsInFlight = 32
export const streamsEach = 300

/** Does something again and again, so many at once, for a while: how many of it are done in a second. */
export async function manyAtOnce(seconds: number, once: (caller: number, count: number) => Promise<void>) {
  const started = performance.now()
  const until = started + seconds * 1000
  let done = 0
  async function goOn(caller: number): Promise<void> {
    for (let count = 0; performance.now() < until; count++) {
      await once(caller, count)
      done++
    }
  }
  await Promise.all(Array.from({ length: appendsInFlight }, (_, caller) => goOn(caller)))
  return (done / (performance.now() - started)) * 1000
}

/** Appends of one event to one of many streams, with the bare client of EventStoreDB, at the revision known. */
export function bareClientAppends(
  url: string,
  event: Pick<NewEvent, 'type' | 'data' | 'metadata'>,
): Side & { close(): Promise<void> } {
  const client = EventStoreDBClient.connectionString(url)
  const prefix = `bare-${randomUUID()}-`
  const revisions = new Map<string, bigint>()
  return {
    name: `bare client, ${appendsInFlight} appends in flight`,
    measure: seconds =>
      manyAtOnce(seconds, async (caller, count) => {
        const stream = `${prefix}${caller * streamsEach + (count % streamsEach)}`
        const { type, data, metadata } = event
        const expectedRevision = revisions.get(stream) ?? NO_STREAM
        const appended = jsonEvent({ id: randomUUID(), type, data, metadata })
        const { nextExpectedRevision } = await client.appendToStream(stream, appended, { expectedRevision })
        revisions.set(stream, nextExpectedRevision)
      }),
    close: () => client.dispose(),
  }
}
