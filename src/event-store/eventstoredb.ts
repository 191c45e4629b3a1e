import { BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client'
import {
  type Batch,
  beforeAll,
  type EventStore,
  EventTooLarge,
  type Position,
  StoreUnavailable,
} from './event-store.ts'
import { appendTo, lookAhead, readFrom, readHead } from './eventstoredb-calls.ts'
import { openClient } from './eventstoredb-client.ts'
import { connect, type Patience } from './eventstoredb-connection.ts'
import { encode, recordedEvent } from './eventstoredb-events.ts'
import { follow } from './eventstoredb-follow.ts'
import type { Following, Vigilance } from './eventstoredb-subscription.ts'
import { metadataEvent, restore, textsOf, truncationsIn } from './eventstoredb-transfer.ts'
import { truncateBefore } from './eventstoredb-truncation.ts'
import { readConnectionUrl } from './eventstoredb-url.ts'
import type { WholeEventStore } from './log-transfer.ts'

export type EventStoreDBOptions = {
  /** `esdb://…` or `esdb+discover://…` with the client's options. */
  url: string
  log?: { warn(fields: object, message: string): void }
  /** Told of each append that is sent again, because it is not known what came of it. */
  appendRetried?: () => void
  /** The server's `MaxAppendSize`. */
  maxAppendBytes?: number
  /** How long a call without a deadline of its own goes on trying, in milliseconds. */
  patienceMs?: number
  timing?: Partial<Patience & Vigilance>
}

const defaultTiming: Patience & Vigilance = {
  attemptMs: 1000,
  longestAttemptMs: 4000,
  backoffMs: 25,
  longestBackoffMs: 1000,
  searchWindow: 1000,
  silenceMs: 2000,
  liveSilenceMs: 10_000,
}

/**
 * The event log on EventStoreDB, 24.10 or newer, a node or a cluster. Connects with the first call, so that this
 * succeeds while the server is down. Throws an Error, in which nothing is secret, if the URL is unusable.
 */
export async function openEventStoreDB(options: EventStoreDBOptions): Promise<WholeEventStore> {
  const { log, appendRetried, maxAppendBytes = 1024 * 1024, patienceMs = 5000 } = options
  const timing = { ...defaultTiming, ...options.timing }
  const connection = readConnectionUrl(options.url)
  for (const warning of connection.warnings)
    log?.warn({ address: connection.address }, `event store: ${warning}`)
  await openClient(connection.url).close()
  const appends = connect(connection, timing)
  const reads = connect(connection, timing)
  const closing = new AbortController()
  const underWay = new Set<Promise<unknown>>()

  const deadlineFromNow = () => performance.now() + patienceMs
  const head = () => readHead(reads, deadlineFromNow())

  function requireOpen(): void {
    if (closing.signal.aborted) throw new StoreUnavailable(`${connection.address}: it is closed`)
  }

  async function finished<T>(work: Promise<T>): Promise<T> {
    underWay.add(work)
    try {
      return await work
    } finally {
      underWay.delete(work)
    }
  }

  function batches(
    asked: Omit<Following, 'decode'> & Partial<Following>,
    giveUpAfterMs?: number,
  ): AsyncGenerator<Batch> {
    const following: Following = { decode: recordedEvent, ...asked }
    const followed = {
      connection,
      head,
      lookAhead: (position: Position, end?: Position) => {
        const part = { position, records: 2 * timing.searchWindow, deadline: deadlineFromNow() }
        return lookAhead(reads, { ...part, end }, following)
      },
      warn: (fields: object, message: string) => log?.warn(fields, message),
    }
    const signal = AbortSignal.any([following.signal, closing.signal])
    return follow(followed, { ...following, signal }, timing, giveUpAfterMs)
  }

  async function* readAll({
    after = beforeAll,
    filter,
    signal = closing.signal,
  }: Parameters<EventStore['readAll']>[0] = {}): AsyncGenerator<Batch> {
    requireOpen()
    for await (const batch of batches({ after, filter, signal, requiresLeader: true }, patienceMs)) {
      yield batch
      if (batch.caughtUp) return
    }
  }

  return {
    async append(stream, events, expected, deadline = deadlineFromNow()) {
      requireOpen()
      if (events.length === 0) throw new RangeError(`append of no events to ${stream}`)
      const encoded = encode(events, maxAppendBytes)
      if (encoded.bytes > maxAppendBytes) throw new EventTooLarge(stream, encoded.bytes, maxAppendBytes)
      const append = { ...encoded, stream, expected, deadline }
      return { revision: await finished(appendTo(appends, append, appendRetried)) }
    },

    async readStream(stream, { from, direction = 'forwards', limit, deadline = deadlineFromNow() } = {}) {
      requireOpen()
      const isForwards = direction === 'forwards'
      if (limit !== undefined && limit <= 0) return []
      if (from !== undefined && from < 0n && !isForwards) return []
      const read = await readFrom(
        reads,
        stream,
        {
          direction: isForwards ? FORWARDS : BACKWARDS,
          fromRevision: from === undefined ? (isForwards ? START : END) : from < 0n ? START : from,
          ...(limit === undefined ? {} : { maxCount: limit }),
        },
        deadline,
      )
      return read.map(recordedEvent).filter(event => event !== null)
    },

    readAll,
    readTexts: options => textsOf(readAll(options)),

    subscribe({ after, filter, signal }) {
      requireOpen()
      return batches({ after, filter, signal, requiresLeader: false })
    },

    async head() {
      requireOpen()
      return head()
    },

    async truncate(stream, before) {
      requireOpen()
      await finished(truncateBefore({ reads, appends }, stream, before, deadlineFromNow()))
    },

    async purge() {},

    async restore(events) {
      requireOpen()
      await finished(restore({ reads, appends, maxAppendBytes, deadline: deadlineFromNow }, events))
    },

    truncations() {
      requireOpen()
      const filter = { prefixes: ['$$'] }
      const { signal } = closing
      const metadata = { after: beforeAll, filter, signal, requiresLeader: true, decode: metadataEvent }
      return truncationsIn(batches(metadata, patienceMs))
    },

    async close() {
      closing.abort()
      await Promise.allSettled(underWay)
      await Promise.all([appends.close(), reads.close()])
    },
  }
}
