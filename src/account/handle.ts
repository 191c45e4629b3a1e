import { LRUCache } from 'lru-cache'
import {
  type Actor,
  type AppendResult,
  type EventStore,
  type NewEvent,
  noStream,
  type Revision,
  RevisionConflict,
} from '../event-store/event-store.ts'
import type { EventPlace } from './account.ts'
import { Overloaded } from './domain-error.ts'
import { uuid5 } from './event-ids.ts'
import type { RosterEvent } from './events.ts'
import { currentVersion, toRecorded } from './upcasters.ts'

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

/** Who asks, for what, until when. `key` makes the ids of the events: the same key, the same events. */
export type Intent = {
  key: string
  actor: Actor
  requestId: string
  causationId?: string
  /** `performance.now()` milliseconds. */
  deadline: number
}

/** `now` is the time that the decided events will bear: never before the event before them. */
export type Decide<State, E extends RosterEvent> = (state: State, revision: Revision, now: string) => E[]

export type Handled<State> = Loaded<State> & { appended: boolean }

export type Handler = ReturnType<typeof createHandler>

const pageOfEvents = 500

/**
 * The only writer of the log: load, fold, decide, append at the revision read. Commands on one stream queue; a
 * conflict with another process is decided again until the deadline, then Overloaded.
 */
export function createHandler(options: {
  store: EventStore
  now: () => number
  cachedStreams?: number
  /** Told of each append that came too late for its revision. */
  conflicted?: () => void
}) {
  const { store } = options
  const folds = new LRUCache<string, Loaded<unknown>>({ max: options.cachedStreams ?? 20_000 })
  const queues = new Map<string, Promise<unknown>>()

  async function append(...what: Parameters<EventStore['append']>): Promise<AppendResult> {
    try {
      return await store.append(...what)
    } catch (error) {
      if (error instanceof RevisionConflict) options.conflicted?.()
      throw error
    }
  }

  async function load<State, E extends RosterEvent>(
    aggregate: Aggregate<State, E>,
    stream: string,
    deadline: number,
    seen?: (eventId: string) => void,
  ): Promise<Loaded<State>> {
    // The cache is keyed by stream, and a stream belongs to one aggregate.
    const cached = folds.get(stream) as Loaded<State> | undefined
    let loaded = cached ?? { state: aggregate.initial, revision: noStream, time: '' }
    const lastOnly = aggregate.lastEventIsState === true && seen === undefined
    for (;;) {
      const events = lastOnly
        ? await store.readStream(stream, { direction: 'backwards', limit: 1, deadline })
        : await store.readStream(stream, { from: loaded.revision + 1n, limit: pageOfEvents, deadline })
      for (const stored of events) {
        const event = toRecorded(stored)
        const { id, revision, metadata } = event
        if (!aggregate.accepts(event)) {
          throw new Error(
            `expected an event of ${aggregate.name}, ${stream} has ${event.type} at ${revision}`,
          )
        }
        seen?.(id)
        const place = { revision: Number(revision), time: metadata.time }
        loaded = { state: aggregate.evolve(loaded.state, event, place), revision, time: metadata.time }
      }
      if (lastOnly || events.length < pageOfEvents) break
    }
    if (loaded !== cached && !aggregate.lastEventIsState) folds.set(stream, loaded)
    return loaded
  }

  async function decideAndAppend<State, E extends RosterEvent>(
    aggregate: Aggregate<State, E>,
    stream: string,
    intent: Intent,
    decide: Decide<State, E>,
  ): Promise<Handled<State>> {
    let loaded = await load(aggregate, stream, intent.deadline)
    for (let attempt = 0; ; attempt++) {
      const now = new Date(
        Math.max(options.now(), loaded.time === '' ? 0 : Date.parse(loaded.time)),
      ).toISOString()
      const decided = decide(loaded.state, loaded.revision, now)
      if (decided.length === 0) return { ...loaded, appended: false }
      const events = decided.map((event, index) => toNewEvent(event, stream, intent, index, now))
      try {
        const { revision } = await append(stream, events, loaded.revision, intent.deadline)
        const handled = foldAppended(aggregate, loaded, decided, now)
        if (handled.revision === revision && !aggregate.lastEventIsState) folds.set(stream, handled)
        return { ...handled, appended: true }
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error
        // The log was replaced by an older copy of itself: what it has lost must not be remembered here.
        if (error.actual < loaded.revision) folds.delete(stream)
        if (performance.now() > intent.deadline) throw new Overloaded(`${error.message}, until the deadline`)
        if (attempt > 0) await pause(Math.random() * Math.min(100, 2 ** attempt))
        const ids = new Set(events.map(event => event.id))
        let done = false
        loaded = await load(aggregate, stream, intent.deadline, id => {
          if (ids.has(id)) done = true
        })
        if (done) return { ...loaded, appended: true }
      }
    }
  }

  return {
    /** The fold of a stream as it is in the log now. */
    load<State, E extends RosterEvent>(
      aggregate: Aggregate<State, E>,
      stream: string,
      deadline: number,
    ): Promise<Loaded<State>> {
      return load(aggregate, stream, deadline)
    },

    /**
     * Appends what `decide` says to a stream, durably, and gives the state after it. `decide` may be called again,
     * with a newer state; what it throws is thrown. Throws Overloaded and StoreUnavailable.
     */
    async handle<State, E extends RosterEvent>(
      aggregate: Aggregate<State, E>,
      stream: string,
      intent: Intent,
      decide: Decide<State, E>,
    ): Promise<Handled<State>> {
      const before = queues.get(stream)
      const mine = (async () => {
        await before?.catch(() => {})
        if (performance.now() > intent.deadline)
          throw new Overloaded(`waited for ${stream} until the deadline`)
        return decideAndAppend(aggregate, stream, intent, decide)
      })()
      queues.set(stream, mine)
      try {
        return await mine
      } finally {
        if (queues.get(stream) === mine) queues.delete(stream)
      }
    },

    /**
     * Appends one event at exactly a revision, or throws RevisionConflict: for claims, which must not be decided
     * again on another revision. Throws Overloaded once the deadline has passed.
     */
    async appendAt(stream: string, event: RosterEvent, expected: Revision, after: string, intent: Intent) {
      if (performance.now() > intent.deadline) throw new Overloaded(`too late to append to ${stream}`)
      const now = new Date(Math.max(options.now(), after === '' ? 0 : Date.parse(after))).toISOString()
      return append(stream, [toNewEvent(event, stream, intent, 0, now)], expected, intent.deadline)
    },
  }
}

function foldAppended<State, E extends RosterEvent>(
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

function toNewEvent(
  event: RosterEvent,
  stream: string,
  intent: Intent,
  index: number,
  time: string,
): NewEvent {
  const { data } = event
  return {
    id: uuid5(`${stream}\n${event.type}\n${intent.key}\n${index}`),
    type: event.type,
    data,
    metadata: {
      ...('userId' in data ? { userId: data.userId } : userIdOf(stream)),
      actor: intent.actor,
      time,
      $correlationId: intent.requestId,
      $causationId: intent.causationId ?? intent.requestId,
      version: currentVersion(event.type),
    },
  }
}

function userIdOf(stream: string): { userId?: number } {
  return stream.startsWith('user-') ? { userId: Number(stream.slice('user-'.length)) } : {}
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}
