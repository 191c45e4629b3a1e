import { setTimeout as pause } from 'node:timers/promises'
import { type Batch, type Position, StoreUnavailable } from './event-store.ts'
import { type Client, openClient } from './eventstoredb-client.ts'
import { backoff, NoAnswer, type Patience } from './eventstoredb-connection.ts'
import { describe, isFatal } from './eventstoredb-failures.ts'
import { type Following, type LookAhead, subscribe, type Vigilance } from './eventstoredb-subscription.ts'
import type { ConnectionUrl } from './eventstoredb-url.ts'

export type Followed = {
  connection: ConnectionUrl
  head(): Promise<Position>
  lookAhead: LookAhead
  warn(fields: object, message: string): void
}

/** The log ends before a position that it once handed out: it is another, or an older copy of itself. */
export class LogReplaced extends StoreUnavailable {}

/**
 * The log from `after` on, in batches, until `signal` aborts. Each subscription that ends or fails, for whatever
 * reason, is followed by another from the last position handed out; so is one that is silent while there is news.
 * Throws StoreUnavailable if the server refuses for good, or if nothing was got from it for `giveUpAfterMs`.
 */
export async function* follow(
  { connection, head, lookAhead, warn }: Followed,
  following: Following,
  settings: Patience & Vigilance,
  giveUpAfterMs = Number.POSITIVE_INFINITY,
): AsyncGenerator<Batch> {
  const { signal } = following
  const { backoffMs, longestBackoffMs } = settings
  let checkpoint = following.after
  let saidCaughtUp = false
  let client: Client | undefined
  let lastAdvance = performance.now()
  const free = () => void client?.close()
  signal.addEventListener('abort', free)

  try {
    for (let failures = 0; !signal.aborted; ) {
      let failure: unknown = new Error('the server ended it')
      try {
        if (failures > 0) await requireReach(head, checkpoint, longestBackoffMs, signal)
        client ??= openClient(connection.url)
        const subscription = subscribe(client, { ...following, after: checkpoint }, settings, lookAhead)
        try {
          for await (const batch of subscription.batches()) {
            failures = 0
            if (batch.checkpoint <= checkpoint && (!batch.caughtUp || saidCaughtUp)) continue
            checkpoint = batch.checkpoint
            saidCaughtUp = batch.caughtUp
            yield batch
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

/** A new leader may need a moment for its index, so a log that seems short is looked at again. */
async function requireReach(
  head: () => Promise<Position>,
  position: Position,
  restMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (let looks = 1; !signal.aborted; looks++) {
    const end = await head()
    if (end >= position) return
    if (looks === 5) {
      throw new LogReplaced(
        `expected the log to reach ${position}, which it handed out before; it ends at ${end}`,
      )
    }
    await pause(restMs, undefined, { signal }).catch(() => {})
  }
}
