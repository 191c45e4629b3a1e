import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { type Batch, type Position, StoreUnavailable } from './event-store.ts'

/** Wakes whoever waits for news in the log. */
export type Bell = { ring(): void; heard(signal: AbortSignal): Promise<void> }

/**
 * Rings when asked to, and by itself when `look` gives another answer than before, looked at every
 * `intervalMs` as long as anybody waits.
 */
export function bell(look: () => unknown, intervalMs: number): Bell {
  const waiting = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  let seen: unknown

  function ring(): void {
    for (const wake of [...waiting]) wake()
  }

  function poll(): void {
    let now: unknown
    try {
      now = look()
    } catch {
      // Whoever waits will meet the same error where it can be handled.
    }
    if (now === undefined || now !== seen) ring()
    seen = now
  }

  return {
    ring,
    heard: signal =>
      new Promise(resolve => {
        if (signal.aborted) return resolve()
        const wake = () => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          if (waiting.size === 0) {
            clearInterval(timer)
            timer = undefined
          }
          resolve()
        }
        waiting.add(wake)
        signal.addEventListener('abort', wake)
        timer ??= setInterval(poll, intervalMs)
      }),
  }
}

/** What `tail` needs of a log that is read synchronously: batches in order, and news. */
export type TailedLog = {
  read(after: Position): Batch
  bell: Bell
  /** True of errors that no waiting will mend. */
  isFatal(error: unknown): boolean
}

/** Every batch after `after`, then what is appended, until `signal` aborts. Waits out StoreUnavailable. */
export async function* tail(log: TailedLog, after: Position, signal: AbortSignal): AsyncGenerator<Batch> {
  let checkpoint = after
  let saidCaughtUp = false
  for (let failures = 0; !signal.aborted; ) {
    let batch: Batch
    try {
      batch = log.read(checkpoint)
      failures = 0
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || log.isFatal(error)) throw error
      await pause(backoffMs(failures++), undefined, { signal }).catch(() => undefined)
      continue
    }
    if (batch.checkpoint > checkpoint || (batch.caughtUp && !saidCaughtUp)) {
      checkpoint = batch.checkpoint
      saidCaughtUp = batch.caughtUp
      yield batch
      // Reading holds the event loop: others get it between the batches of a long log.
      if (!batch.caughtUp) await nextTurn()
    } else {
      await log.bell.heard(signal)
    }
  }
}

function backoffMs(failures: number): number {
  return Math.min(2000, 5 * 2 ** failures) * (0.5 + Math.random() / 2)
}
