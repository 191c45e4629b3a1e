import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { type Batch, type Position, StoreUnavailable } from './event-store.ts'

/** Wakes who waits for what comes after position `heardOf`, or until `signal` aborts; too early now and then. */
export type Bell = { ring(): void; after(heardOf: Position, signal: AbortSignal): Promise<void> }

/** Each look costs a wake-up of the process: after so many in vain it looks only every so many intervals. */
const looksInVain = 300
const intervalsWhenQuiet = 8

/**
 * Rings when told to, and by itself when `head` is behind what a waiter has heard of: it looks every `intervalMs`
 * while anybody waits, less often when there was nothing for long.
 */
export function bell(head: () => Position, intervalMs: number): Bell {
  const waiting = new Map<() => void, Position>()
  let timer: NodeJS.Timeout | undefined
  let inVain = 0

  function ring(): void {
    for (const wake of [...waiting.keys()]) wake()
  }

  function look(): void {
    timer = undefined
    inVain++
    try {
      const now = head()
      for (const [wake, heardOf] of [...waiting]) {
        if (now <= heardOf) continue
        inVain = 0
        wake()
      }
    } catch {
      ring() // Whoever waits will meet the same error where it can be handled.
    }
    if (waiting.size > 0) schedule()
  }

  function schedule(): void {
    timer ??= setTimeout(look, inVain < looksInVain ? intervalMs : intervalMs * intervalsWhenQuiet)
  }

  return {
    ring,
    after: (heardOf, signal) =>
      new Promise(resolve => {
        if (signal.aborted) return resolve()
        const wake = () => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          if (waiting.size === 0) {
            clearTimeout(timer)
            timer = undefined
          }
          resolve()
        }
        waiting.set(wake, heardOf)
        signal.addEventListener('abort', wake)
        schedule()
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
      await log.bell.after(checkpoint, signal)
    }
  }
}

function backoffMs(failures: number): number {
  return Math.min(2000, 5 * 2 ** failures) * (0.5 + Math.random() / 2)
}
