import { setTimeout as pause } from 'node:timers/promises'
import { type Batch, type Position, StoreUnavailable } from './event-store.ts'

/** Wakes whoever waits for news in the log. */
export type Bell = { ring(): void; heard(signal: AbortSignal): Promise<void> }

/** What `tail` needs of a log: its batches in order, and news of appends. `read` may throw StoreUnavailable. */
export type Tailed = {
  read(after: Position): Batch
  bell: Bell
  /** True for errors that no waiting will mend. */
  isFatal(error: unknown): boolean
}

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
        const wake = () => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          if (waiting.size === 0) {
            clearInterval(timer)
            timer = undefined
          }
          resolve()
        }
        if (signal.aborted) return resolve()
        waiting.add(wake)
        signal.addEventListener('abort', wake)
        timer ??= setInterval(poll, intervalMs)
      }),
  }
}

/** Every batch after `after`, then what is appended, until `signal` aborts. Outages are waited out. */
export async function* tail(log: Tailed, after: Position, signal: AbortSignal): AsyncGenerator<Batch> {
  let checkpoint = after
  let announced = false
  let failures = 0
  while (!signal.aborted) {
    let batch: Batch
    try {
      batch = log.read(checkpoint)
      failures = 0
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || log.isFatal(error)) throw error
      await pause(backoffMs(failures++), undefined, { signal }).catch(() => undefined)
      continue
    }
    if (batch.checkpoint > checkpoint || (batch.caughtUp && !announced)) {
      checkpoint = batch.checkpoint
      announced = batch.caughtUp
      yield batch
      // Reading is synchronous: let others have the event loop between the batches of a long log.
      if (!batch.caughtUp) await new Promise(setImmediate)
    } else {
      await log.bell.heard(signal)
    }
  }
}

function backoffMs(failures: number): number {
  return Math.min(2000, 5 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
}
