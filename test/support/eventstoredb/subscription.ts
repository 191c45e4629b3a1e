import { type Filter, matches } from './filter.ts'
import type { EventLog, LogRecord } from './log.ts'
import { isBefore, type Place, placeOf, type ReadResponse, readPage, resolve } from './read.ts'

export type AllSubscription = {
  from: Place | 'start' | 'end'
  filter: Filter | null
  /** Records looked at for one page. */
  window: number
  /** A checkpoint at least every so many records. */
  checkpointInterval: number
  resolveLinks: boolean
}

/** How many live records wait for a slow subscriber; then it is sent back to catching up. */
const liveCapacity = 32
const beforeStart: Place = { commit: -1n, prepare: -1n }

function lastPlace(log: EventLog): Place {
  const last = log.all().at(-1)
  return last ? placeOf(last) : beforeStart
}

/** Such a subscription reads nothing, so that it is not refused by a node that does not lead either. */
export function hasNothingAfter(log: EventLog, from: AllSubscription['from']): boolean {
  return from === 'end' || !isBefore(from === 'start' ? beforeStart : from, lastPlace(log))
}

/**
 * `$all` from a place on, for ever: pages until the end of the log, then what is appended. Checkpoints come when it
 * has caught up and at the interval, but none lower than or equal to an earlier one, and −1 counts as the highest.
 */
export async function* subscribeToAll(
  log: EventLog,
  subscription: AllSubscription,
  signal: AbortSignal,
): AsyncGenerator<ReadResponse> {
  const live = liveQueue(log, subscription, signal)
  const { from, filter, window, checkpointInterval, resolveLinks } = subscription
  const event = (record: LogRecord): ReadResponse => ({
    is: 'event',
    resolved: resolve(log, record, resolveLinks),
  })
  let highestCheckpoint: bigint | null = null
  function* checkpointAt(place: Place): Generator<ReadResponse> {
    const unsigned = BigInt.asUintN(64, place.commit)
    if (!filter || (highestCheckpoint !== null && unsigned <= highestCheckpoint)) return
    highestCheckpoint = unsigned
    yield { is: 'checkpoint', place }
  }

  yield { is: 'confirmation', id: crypto.randomUUID() }
  let place = from === 'start' ? beforeStart : from === 'end' ? lastPlace(log) : from
  let caughtUp = hasNothingAfter(log, from)
  while (!signal.aborted) {
    let considered = 0
    let next = place.commit < 0n ? { commit: 0n, prepare: 0n } : place
    while (!caughtUp) {
      if (signal.aborted) return
      const page = readPage(log, next, filter, window)
      for (const record of page.records) {
        if (!isBefore(place, placeOf(record))) continue
        yield event(record)
        place = placeOf(record)
      }
      considered += page.considered
      if (page.isEnd) {
        yield* checkpointAt(place)
        caughtUp = true
      } else if (considered >= checkpointInterval) {
        considered %= checkpointInterval
        if (isBefore(place, next)) place = next
        yield* checkpointAt(place)
      }
      next = page.next
      await new Promise(setImmediate)
    }

    yield { is: 'caught-up' }
    while (caughtUp) {
      const news = await live.next()
      if (!news) return
      if (news.record ? !isBefore(place, placeOf(news.record)) : isBefore(news.checkpoint, place)) continue
      if (news.isAfterGap) {
        yield* checkpointAt(place)
        caughtUp = false
      } else if (news.record) {
        yield event(news.record)
        place = placeOf(news.record)
      } else {
        yield* checkpointAt(news.checkpoint)
        place = news.checkpoint
      }
    }
  }
}

type News = { isAfterGap: boolean } & ({ record: LogRecord } | { record?: never; checkpoint: Place })

function liveQueue(log: EventLog, { filter, checkpointInterval }: AllSubscription, signal: AbortSignal) {
  const queue: News[] = []
  let counted = 0
  let wake = () => {}
  const push = (news: News) => {
    queue.push(news)
    if (queue.length > liveCapacity) {
      queue.shift()
      const oldest = queue[0]
      if (oldest) oldest.isAfterGap = true
    }
    wake()
  }
  const unwatch = log.watch(record => {
    if (matches(record, filter)) push({ isAfterGap: false, record })
    counted++
    if (!filter || counted < checkpointInterval) return
    counted = 0
    push({ isAfterGap: false, checkpoint: placeOf(record) })
  })
  signal.addEventListener('abort', () => {
    unwatch()
    wake()
  })

  return {
    async next(): Promise<News | undefined> {
      while (queue.length === 0 && !signal.aborted) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return signal.aborted ? undefined : queue.shift()
    },
  }
}
