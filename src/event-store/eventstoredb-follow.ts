import { setTimeout as pause } from 'node:timers/promises'
import { type Batch, beforeAll, LogReplaced, type Position, StoreUnavailable } from './event-store.ts'
import { type Client, openClient } from './eventstoredb-client.ts'
import { backoff, NoAnswer, type Patience } from './eventstoredb-connection.ts'
import { describe, isFatal, isInvalidPosition } from './eventstoredb-failures.ts'
import { type Following, type LookAhead, subscribe, type Vigilance } from './eventstoredb-subscription.ts'
import type { ConnectionUrl } from './eventstoredb-url.ts'

export type Followed = {
  connection: ConnectionUrl
  head(): Promise<Position>
  lookAhead: LookAhead
  warn(fields: object, message: string): void
}

/**
 * The log from `after` on, in batches, until `signal` aborts. Each subscription that ends or fails, for whatever
 * reason, is followed by another from the last position handed out; so is one that is silent while there is news.
 * Throws StoreUnavailable if the server refuses for good, or if nothing was got from it for `giveUpAfterMs`, and
 * LogReplaced.
 */
export async function* follow(
  { connection, head, lookAhead, warn }: Followed,
  following: Following,
  settings: Patience & Vigilance,
  giveUpAfterMs = Number.POSITIVE_INFINITY,
): AsyncGenerator<Batch> {
  const { signal } = following
  const { backoffMs, longestBackoffMs, liveSilenceMs } = settings
  let checkpoint = following.after
  let saidCaughtUp = false
  let logEnd = beforeAll
  let client: Client | undefined
  let lastAdvance = performance.now()
  const free = () => void client?.close()
  signal.addEventListener('abort', free)

  /** The server says how far it is by records too that it shows nobody, behind which its log seems to have ended before. */
  async function shownUpTo(batch: Batch): Promise<Position> {
    const handedOut = batch.events.at(-1)?.position ?? checkpoint
    if (batch.checkpoint <= handedOut || batch.checkpoint <= logEnd) return batch.checkpoint
    logEnd = await head()
    if (batch.checkpoint <= logEnd) return batch.checkpoint
    return logEnd > handedOut ? logEnd : handedOut
  }

  try {
    for (let failures = 0; !signal.aborted; ) {
      let failure: unknown = new Error('the server ended it')
      const begunAt = performance.now()
      try {
        if (checkpoint >= 0n) logEnd = await requireReach(head, checkpoint, longestBackoffMs, signal)
        client ??= openClient(connection.url)
        const subscription = subscribe(client, { ...following, after: checkpoint }, settings, lookAhead)
        try {
          for await (const batch of subscription.batches()) {
            const upTo = await shownUpTo(batch)
            if (upTo > checkpoint) failures = 0
            else if (!batch.caughtUp || saidCaughtUp) continue
            checkpoint = upTo
            saidCaughtUp = batch.caughtUp
            yield { ...batch, checkpoint }
            lastAdvance = performance.now()
          }
        } finally {
          subscription.end()
        }
      } catch (error) {
        if (error instanceof LogReplaced) throw error
        failure = error
      }
      if (signal.aborted) return
      if (isInvalidPosition(failure)) {
        throw new LogReplaced(
          `expected a record at ${checkpoint}, which the log handed out before; found none`,
        )
      }
      if (performance.now() - begunAt > liveSilenceMs) failures = 0
      const reason = `following ${connection.address} from ${checkpoint}: ${describe(failure)}`
      if (isFatal(failure) || performance.now() - lastAdvance > giveUpAfterMs) {
        throw new StoreUnavailable(reason)
      }
      warn({ checkpoint: String(checkpoint), failures, reason }, 'event store: following it anew')
      if (failure instanceof NoAnswer) {
        void client?.close()
        client = undefined
      }
      await pause(backoff(failures++, backoffMs, longestBackoffMs), undefined, { signal }).catch(() => {})
    }
  } finally {
    signal.removeEventListener('abort', free)
    free()
  }
}

/** Returns the end of the log. A new leader may need a moment for its index, so one that seems short is looked at again. */
async function requireReach(
  head: () => Promise<Position>,
  position: Position,
  restMs: number,
  signal: AbortSignal,
): Promise<Position> {
  for (let looks = 1; ; looks++) {
    const end = await head()
    if (end >= position || signal.aborted) return end
    if (looks === 5) {
      throw new LogReplaced(
        `expected the log to reach ${position}, which it handed out before; it ends at ${end}`,
      )
    }
    await pause(restMs, undefined, { signal }).catch(() => {})
  }
}
