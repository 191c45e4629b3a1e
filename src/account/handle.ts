import { LRUCache } from 'lru-cache'
import {
  type Actor,
  type AppendResult,
  type EventStore,
  type NewEvent,
  type Revision,
  RevisionConflict,
} from '../event-store/event-store.ts'
import { Overloaded } from './domain-error.ts'
import { type Earlier, findEarlier, requireNotDone, requireOurs } from './earlier-command.ts'
import { eventId } from './event-ids.ts'
import type { RosterEvent } from './events.ts'
import { type Aggregate, accepted, foldAppended, folded, type Loaded, unwritten } from './fold-stream.ts'
import { createInTurn } from './in-turn.ts'
import { currentVersion, toRecorded } from './upcasters.ts'

/**
 * Who asks, for what, until when. `key` makes the ids of the events: the same key, the same events. `keyIsNew`: it was made
 * for this alone. If it may have been used before, `lookedTo` is the revision up to which the stream was looked through
 * for that.
 */
export type Intent = {
  key: string
  keyIsNew?: boolean
  lookedTo?: Revision
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
 * The only writer of the log: load, fold, decide, append at the revision decided on. Commands on one stream queue; a
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
  const inTurn = createInTurn()

  async function append(...what: Parameters<EventStore['append']>): Promise<AppendResult> {
    try {
      return await store.append(...what)
    } catch (error) {
      if (error instanceof RevisionConflict) options.conflicted?.()
      throw error
    }
  }

  /** A stream as it was last read or appended to. The cache is keyed by stream, and a stream belongs to one aggregate. */
  function remembered<State>(stream: string): Loaded<State> | undefined {
    return folds.get(stream) as Loaded<State> | undefined
  }

  async function load<State, E extends RosterEvent>(
    aggregate: Aggregate<State, E>,
    stream: string,
    deadline: number,
    seen?: (eventId: string) => void,
  ): Promise<Loaded<State>> {
    const cached = remembered<State>(stream)
    let loaded = cached ?? unwritten(aggregate)
    const lastOnly = aggregate.lastEventIsState === true && seen === undefined
    for (;;) {
      const events = lastOnly
        ? await store.readStream(stream, { direction: 'backwards', limit: 1, deadline })
        : await store.readStream(stream, { from: loaded.revision + 1n, limit: pageOfEvents, deadline })
      for (const stored of events) {
        const event = accepted(aggregate, toRecorded(stored))
        seen?.(event.id)
        loaded = folded(aggregate, loaded.state, event)
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
    // What is remembered will do for an append, which fails if another came since (that of a key used before need not
    // fail); a refusal needs the stream read.
    const before = intent.keyIsNew ? remembered<State>(stream) : undefined
    let isRead = before === undefined
    let loaded = before ?? (await load(aggregate, stream, intent.deadline))
    for (let conflicts = 0; ; ) {
      await requireNotDone(store, stream, intent, loaded.revision)
      const now = new Date(
        Math.max(options.now(), loaded.time === '' ? 0 : Date.parse(loaded.time)),
      ).toISOString()
      const decided = isRead ? decide(loaded.state, loaded.revision, now) : unlessRefused(decide, loaded, now)
      if (decided.length === 0) {
        if (isRead) return { ...loaded, appended: false }
        isRead = true
        loaded = await load(aggregate, stream, intent.deadline)
        continue
      }
      const events = decided.map((event, index) => toNewEvent(event, stream, intent, index, now))
      try {
        const { revision } = await append(stream, events, loaded.revision, intent.deadline)
        await requireOurs(store, stream, events, revision, intent)
        const handled = foldAppended(aggregate, loaded, decided, now)
        if (handled.revision === revision && !aggregate.lastEventIsState) folds.set(stream, handled)
        return { ...handled, appended: true }
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error
        // The log was replaced by an older copy of itself: what it has lost must not be remembered here.
        if (error.actual < loaded.revision) folds.delete(stream)
        if (performance.now() > intent.deadline) throw new Overloaded(`${error.message}, until the deadline`)
        if (conflicts > 0) await pause(Math.random() * Math.min(100, 2 ** conflicts))
        conflicts++
        const ids = new Set(events.map(event => event.id))
        let done = false
        isRead = true
        loaded = await load(aggregate, stream, intent.deadline, id => {
          if (ids.has(id)) done = true
        })
        if (done && intent.lookedTo === undefined) return { ...loaded, appended: true }
      }
    }
  }

  return {
    /** One at a time of what asks for the same turn. */
    inTurn,

    /** The fold of a stream as it is in the log now. */
    load<State, E extends RosterEvent>(
      aggregate: Aggregate<State, E>,
      stream: string,
      deadline: number,
    ): Promise<Loaded<State>> {
      return load(aggregate, stream, deadline)
    },

    /**
     * Appends what `decide` says to a stream, durably, and gives the state after it. `decide` may be called again, with
     * the same state or a newer one: the last call counts, and what that throws is thrown. Throws Overloaded and
     * StoreUnavailable.
     */
    handle<State, E extends RosterEvent>(
      aggregate: Aggregate<State, E>,
      stream: string,
      intent: Intent,
      decide: Decide<State, E>,
    ): Promise<Handled<State>> {
      return inTurn(stream, intent.deadline, () => decideAndAppend(aggregate, stream, intent, decide))
    },

    /** What a command with this key appended to a stream, null if none did up to `lookedTo`. Reads the whole stream. */
    findEarlier<State, E extends RosterEvent>(
      aggregate: Aggregate<State, E>,
      stream: string,
      key: string,
      deadline: number,
    ): Promise<{ earlier: Earlier<State, E> | null; lookedTo: Revision }> {
      return findEarlier(store, { aggregate, stream, key }, deadline)
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

/** What is decided; nothing, if that is refused. */
function unlessRefused<State, E extends RosterEvent>(
  decide: Decide<State, E>,
  { state, revision }: Loaded<State>,
  now: string,
): E[] {
  try {
    return decide(state, revision, now)
  } catch {
    return []
  }
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
    id: eventId({ stream, type: event.type }, intent.key, index),
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
