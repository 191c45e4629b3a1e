import { isDeepStrictEqual } from 'node:util'
import type { EventStore, NewEvent, Revision } from '../event-store/event-store.ts'
import { Overloaded } from './domain-error.ts'
import { eventId } from './event-ids.ts'
import type { RosterEvent } from './events.ts'
import { type Aggregate, accepted, folded, type Loaded, unwritten } from './fold-stream.ts'
import type { Recorded } from './recorded.ts'
import { toRecorded } from './upcasters.ts'

/** What a command appended once, with the fold of its stream before and after. */
export type Earlier<State, E extends RosterEvent> = {
  event: Recorded<E>
  before: Loaded<State>
  after: Loaded<State>
}

/** A command with this key was done meanwhile: whoever asked gets its answer by looking for it again. */
export class DoneMeanwhile extends Overloaded {}

/** The part of an intent that tells whether its key may have been used before. */
type Keyed = { key: string; lookedTo?: Revision; deadline: number }

const pageOfEvents = 500

/** What a command with this key appended to a stream, null if none did up to `lookedTo`. Reads the whole stream. */
export async function findEarlier<State, E extends RosterEvent>(
  store: EventStore,
  { aggregate, stream, key }: { aggregate: Aggregate<State, E>; stream: string; key: string },
  deadline: number,
): Promise<{ earlier: Earlier<State, E> | null; lookedTo: Revision }> {
  let before = unwritten(aggregate)
  for (;;) {
    const events = await store.readStream(stream, {
      from: before.revision + 1n,
      limit: pageOfEvents,
      deadline,
    })
    for (const stored of events) {
      const event = accepted(aggregate, toRecorded(stored))
      const after = folded(aggregate, before.state, event)
      if (isByKey(event, key)) return { earlier: { event, before, after }, lookedTo: after.revision }
      before = after
    }
    if (events.length < pageOfEvents) return { earlier: null, lookedTo: before.revision }
  }
}

/** Looks through what a stream got, up to `revision`, since it was looked through for a key. Throws DoneMeanwhile. */
export async function requireNotDone(
  store: EventStore,
  stream: string,
  { key, lookedTo, deadline }: Keyed,
  revision: Revision,
): Promise<void> {
  if (lookedTo === undefined || revision <= lookedTo) return
  const events = await store.readStream(stream, { from: lookedTo + 1n, deadline })
  if (events.some(event => isByKey(event, key))) throw doneMeanwhile(stream)
}

/**
 * To the store the same ids at the same revision are the same append. Where the client chose the key they may be
 * another process's, of another body or moment. Throws DoneMeanwhile.
 */
export async function requireOurs(
  store: EventStore,
  stream: string,
  events: readonly NewEvent[],
  last: Revision,
  { lookedTo, deadline }: Keyed,
): Promise<void> {
  if (lookedTo === undefined) return
  const from = last - BigInt(events.length - 1)
  const stored = await store.readStream(stream, { from, limit: events.length, deadline })
  const areOurs = events.every(({ data, metadata }, index) => {
    const found = stored[index]
    return (
      isDeepStrictEqual(found?.data, data) &&
      found?.metadata.time === metadata.time &&
      found.metadata.$correlationId === metadata.$correlationId
    )
  })
  if (!areOurs) throw doneMeanwhile(stream)
}

/** A command's first event tells it; the type is part of the id. */
export function isByKey(event: { stream: string; type: string; id: string }, key: string): boolean {
  return event.id === eventId(event, key, 0)
}

function doneMeanwhile(stream: string): DoneMeanwhile {
  return new DoneMeanwhile(`expected a new command, ${stream} has what it would append`)
}
