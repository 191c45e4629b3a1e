import {
  type AllStreamSubscription,
  eventTypeFilter,
  excludeSystemEvents,
  type Filter,
  type Position as LogPosition,
  streamNameFilter,
} from '@eventstore/db-client'
import type { Batch, Position, RecordedEvent, StreamFilter } from './event-store.ts'
import type { Ahead } from './eventstoredb-calls.ts'
import type { Client } from './eventstoredb-client.ts'
import { NoAnswer } from './eventstoredb-connection.ts'
import { type Decode, isPosition, passes, positionOf } from './eventstoredb-events.ts'

export type Following = {
  after: Position
  filter: StreamFilter | undefined
  signal: AbortSignal
  requiresLeader: boolean
  /** What is handed out; `recordedEvent` as a rule. */
  decode: Decode
}

export type Vigilance = {
  /** How many records the server looks through, at most, before it says how far it is. */
  searchWindow: number
  /** How long a subscription may be silent before it is checked, in milliseconds: until it has caught up, and then. */
  silenceMs: number
  liveSilenceMs: number
}

/** Looks at what the leader has after `position`, up to `end` or as far as its log goes. */
export type LookAhead = (position: Position, end?: Position) => Promise<Ahead>

/** `batches` ends when the server ends the subscription. Throws what it fails with, and NoAnswer if it is stuck. */
export type Subscription = { batches(): AsyncGenerator<Batch>; end(): void }

/** What the leader has beyond what was received. `more`: nothing so far, but not all of it was looked through. */
type Found = 'nothing' | 'news' | 'more'

const eventsPerBatch = 2048
const gatherMs = 200
/** So often in a row a subscription may be found silent although it should have said how far it is. */
const silencesForgiven = 2
const buffering: object = { readableHighWaterMark: eventsPerBatch, writableHighWaterMark: 16 }

/** One subscription of the server, from `after` on. */
export function subscribe(
  client: Client,
  following: Following,
  { searchWindow, silenceMs, liveSilenceMs }: Vigilance,
  lookAhead: LookAhead,
): Subscription {
  const { filter, signal, decode, requiresLeader } = following
  let checkpoint = following.after
  let reached = following.after
  let isConfirmed = false
  let isLive = false
  let isOver = false
  let silences = 0
  /** Where the leader's log ended when it was first asked. */
  let leaderEnd: Position | undefined
  let failure: unknown
  let isRung = false
  let wake = () => {}

  function ring(): void {
    isRung = true
    wake()
  }

  const stream = open(client, following, searchWindow, position => {
    // In a log that holds nothing of ours the server may say "the end" instead of a position.
    if (isPosition(position.commit)) reached = position.commit
    ring()
  })
  stream.on('readable', ring)
  stream.on('confirmation', () => {
    isConfirmed = true
    ring()
  })
  stream.on('caughtUp', () => {
    isLive = true
    ring()
  })
  stream.on('fellBehind', () => {
    isLive = false
  })
  for (const over of ['end', 'close'] as const) {
    stream.on(over, () => {
      isOver = true
      ring()
    })
  }
  // Stays to the end: an error that nobody listens to would end the process.
  stream.on('error', error => {
    failure ??= error
    ring()
  })
  signal.addEventListener('abort', ring)

  /** What has come, in order. How far the server said it was holds once nothing is left to read. */
  function receive(): Batch {
    const events: RecordedEvent[] = []
    let isDrained = false
    while (events.length < eventsPerBatch && !isDrained) {
      const resolved = stream.read()
      isDrained = resolved === null
      const position = resolved && positionOf(resolved)
      if (position === null || position <= checkpoint) continue
      checkpoint = position
      const event = decode(resolved)
      if (event && passes(event, filter)) events.push(event)
    }
    if (isDrained && reached > checkpoint) checkpoint = reached
    return { events, checkpoint, caughtUp: isDrained && isLive }
  }

  /** Resolves to whether anything happens within `ms`. */
  async function isHeard(ms: number): Promise<boolean> {
    if (!isRung) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const heard = isRung
    isRung = false
    if (heard) silences = 0
    return heard
  }

  /** While there is more to come, small batches would only cost time. */
  async function gather(): Promise<void> {
    await new Promise(setImmediate)
    const until = performance.now() + gatherMs
    while (!isLive && !isOver && !failure && !signal.aborted && stream.readableLength < eventsPerBatch) {
      const left = until - performance.now()
      if (left <= 0 || !(await isHeard(left))) return
    }
  }

  async function look(): Promise<Found> {
    const { isNew, upTo, end } = await lookAhead(checkpoint, leaderEnd)
    if (requiresLeader) leaderEnd = end
    if (upTo > reached) reached = upTo
    if (isNew) return 'news'
    if (upTo >= end) return 'nothing'
    return upTo > checkpoint ? 'more' : 'news'
  }

  async function* batches(): AsyncGenerator<Batch> {
    let last = checkpoint
    let saidCaughtUp = false
    while (!signal.aborted) {
      const batch = receive()
      // Nodes that do not lead refuse only what they would have to read: one that is behind says it has caught up.
      const ahead: Found = batch.caughtUp && !saidCaughtUp && requiresLeader ? await look() : 'nothing'
      const caughtUp: boolean = batch.caughtUp && ahead === 'nothing'
      if (batch.checkpoint > last || (caughtUp && !saidCaughtUp)) {
        last = batch.checkpoint
        saidCaughtUp = caughtUp
        yield { ...batch, caughtUp }
        continue
      }
      if (ahead === 'more') continue
      if (failure) throw failure
      if (isOver) return
      if (await isHeard(isLive && ahead === 'nothing' ? liveSilenceMs : silenceMs)) {
        await gather()
        continue
      }
      if (!isConfirmed) throw new NoAnswer('the subscription was not confirmed')
      const missed = await look()
      if (missed === 'nothing') {
        isLive = true // servers before 23.10 do not say so
      } else if (missed === 'news' || ++silences > silencesForgiven) {
        if (!(await isHeard(silenceMs))) throw new NoAnswer('it was silent while there was news')
      }
    }
  }

  return {
    batches,
    end() {
      signal.removeEventListener('abort', ring)
      stream.unsubscribe().catch(() => {})
      stream.destroy()
    },
  }
}

function open(
  client: Client,
  { after, filter, requiresLeader }: Following,
  maxSearchWindow: number,
  onCheckpoint: (position: LogPosition) => void,
): AllStreamSubscription {
  const options = {
    maxSearchWindow,
    checkpointReached: (_: unknown, position: LogPosition) => onCheckpoint(position),
  }
  // Commit and prepare are the same in what this client appends. From 0 and not from START, where the first
  // checkpoint may be "the end", after which there would be no other; the server's own record stands at 0.
  const commit = after < 0n ? 0n : after
  return client.events.subscribeToAll(
    {
      fromPosition: { commit, prepare: commit },
      filter: serverFilter(filter, options),
      requiresLeader,
    },
    buffering,
  )
}

/** The server filters by one of the two: by types, where some are wanted, as those let far less through. */
function serverFilter(
  filter: StreamFilter | undefined,
  options: NonNullable<Parameters<typeof excludeSystemEvents>[0]>,
): Filter {
  if (!filter) return excludeSystemEvents(options)
  const { prefixes, types = [] } = filter
  return types.length > 0
    ? eventTypeFilter({ ...options, prefixes: [...types] })
    : streamNameFilter({ ...options, prefixes: [...prefixes] })
}
