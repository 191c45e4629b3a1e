import { noStream, type Revision } from '../event-store/event-store.ts'
import type { EventPlace } from './account.ts'
import type { RosterEvent } from './events.ts'
import type { Recorded } from './recorded.ts'

/** How a stream folds. `lastEventIsState`: each event repeats the whole state, so the last one is enough. */
export type Aggregate<State, E extends RosterEvent> = {
  name: string
  initial: State
  evolve(state: State, event: E, place: EventPlace): State
  accepts(event: RosterEvent): event is E
  lastEventIsState?: boolean
}

/** A stream as folded: `revision` is its last one, `time` that of its last event ('' if there is none). */
export type Loaded<State> = { state: State; revision: Revision; time: string }

/** The fold of a stream without events. */
export function unwritten<State>(aggregate: { initial: State }): Loaded<State> {
  return { state: aggregate.initial, revision: noStream, time: '' }
}

/** The event, as one of the aggregate; throws if it is none. */
export function accepted<State, E extends RosterEvent>(
  aggregate: Aggregate<State, E>,
  event: Recorded,
): Recorded<E> {
  if (aggregate.accepts(event)) return event
  const { stream, type, revision } = event
  throw new Error(`expected an event of ${aggregate.name}, ${stream} has ${type} at ${revision}`)
}

/** The fold after an event that was read. */
export function folded<State, E extends RosterEvent>(
  aggregate: Aggregate<State, E>,
  state: State,
  event: Recorded<E>,
): Loaded<State> {
  const { revision, metadata } = event
  const place = { revision: Number(revision), time: metadata.time }
  return { state: aggregate.evolve(state, event, place), revision, time: metadata.time }
}

/** The fold after events that were just appended. */
export function foldAppended<State, E extends RosterEvent>(
  aggregate: Aggregate<State, E>,
  loaded: Loaded<State>,
  events: E[],
  time: string,
): Loaded<State> {
  let { state, revision } = loaded
  for (const event of events) {
    revision += 1n
    state = aggregate.evolve(state, event, { revision: Number(revision), time })
  }
  return { state, revision, time }
}
