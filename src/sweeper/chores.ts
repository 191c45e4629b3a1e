import { type Position, StoreUnavailable } from '../event-store/event-store.ts'

export type ChoresLog = { warn(fields: object, message: string): void }

type Chore = {
  name: string
  position: Position
  run(): Promise<void>
  attempts: number
  timer: NodeJS.Timeout | null
}

/** Something that goes on elsewhere has to be waited for: no failure, and no reason to look less and less often. */
export class NotYet extends StoreUnavailable {}

export type Chores = {
  /** Does something that an event asks for, at once or `afterMs` later, until it is done. */
  add(name: string, position: Position, run: () => Promise<void>, when?: { afterMs: number }): void
  /** Resolves when not too much is waiting to be done. */
  room(): Promise<void>
  /** Up to where everything is done, given that all up to `observed` was added. */
  doneUpTo(observed: Position): Position
  /** Begins nothing more; resolves when what was begun has ended. */
  stop(): Promise<void>
}

const atOnce = 4
const mostWaiting = 1000

/** What events ask for, done at least once, some of it at a time; what fails is tried again after growing pauses. */
export function createChores(options: {
  log: ChoresLog
  /** The pause before the second attempt, doubled for each further one up to `longestPauseMs`. */
  firstPauseMs?: number
  longestPauseMs?: number
}): Chores {
  const { log, firstPauseMs = 1000, longestPauseMs = 60_000 } = options
  const open = new Set<Chore>()
  const ready: Chore[] = []
  const working = new Set<Promise<void>>()
  let waiters: (() => void)[] = []
  let stopped = false

  function work(): void {
    while (!stopped && working.size < atOnce) {
      const chore = ready.shift()
      if (!chore) break
      const attempt = chore.run().then(
        () => void open.delete(chore),
        (error: unknown) => tryLater(chore, error),
      )
      const done = attempt.finally(() => {
        working.delete(done)
        work()
      })
      working.add(done)
    }
    if (stopped || open.size < mostWaiting) {
      for (const wake of waiters) wake()
      waiters = []
    }
  }

  function tryLater(chore: Chore, error: unknown): void {
    if (stopped) return
    chore.attempts += 1
    const doublings = error instanceof NotYet ? 0 : chore.attempts - 1
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** doublings)
    log.warn({ err: error, attempts: chore.attempts, nextAttemptInMs: pauseMs }, `could not ${chore.name}`)
    later(chore, pauseMs)
  }

  function later(chore: Chore, pauseMs: number): void {
    chore.timer = setTimeout(() => {
      chore.timer = null
      ready.push(chore)
      work()
    }, pauseMs)
  }

  return {
    add(name, position, run, when) {
      const chore: Chore = { name, position, run, attempts: 0, timer: null }
      open.add(chore)
      if (when) later(chore, when.afterMs)
      else ready.push(chore)
      work()
    },

    async room() {
      if (!stopped && open.size >= mostWaiting) await new Promise<void>(resolve => waiters.push(resolve))
    },

    doneUpTo(observed) {
      let done = observed
      for (const { position } of open) if (position <= done) done = position - 1n
      return done
    },

    async stop() {
      stopped = true
      for (const { timer } of open) if (timer) clearTimeout(timer)
      work()
      await Promise.all(working)
    },
  }
}
