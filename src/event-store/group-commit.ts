import { RevisionConflict, StoreUnavailable } from './event-store.ts'
import { isBusy, jitter, storeError } from './sqlite-failures.ts'

/** One transaction at a time on one connection. When `commit` returns, what was written is on disk. */
export type Transaction = { begin(): void; commit(): void; rollback(): void }

export type GroupCommit = {
  /**
   * Runs `write` in a transaction shared with whatever else is asked for meanwhile, and resolves to what it
   * returned once that is committed. `write` may refuse with RevisionConflict if it wrote nothing; any other
   * error undoes the whole transaction and rejects all of it. Throws StoreUnavailable if another process held
   * the file until `deadline` (`performance.now()` milliseconds): then nothing was written.
   */
  run<T>(write: () => T, deadline: number): Promise<T>
  /** Resolves when nothing is waiting or running. */
  idle(): Promise<void>
}

/** `run` writes and gives the function that tells the caller so, once it is committed. */
type Job = { run: () => () => void; reject: (error: unknown) => void; deadline: number }

/** So that a burst does not hold the event loop for long. */
const jobsPerTransaction = 256

/** Gathers writes until the event loop has gone round once, then commits them with one fsync. */
export function groupCommit(file: string, transaction: Transaction, onCommit: () => void): GroupCommit {
  let waiting: Job[] = []
  let scheduled = false
  let busyTries = 0
  const idlers: (() => void)[] = []

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    if (busyTries === 0) setImmediate(flush)
    else setTimeout(flush, jitter(busyTries))
  }

  function flush(): void {
    scheduled = false
    const jobs = waiting.slice(0, jobsPerTransaction)
    try {
      transaction.begin()
      waiting = waiting.slice(jobs.length)
      busyTries = 0
      runAll(jobs)
    } catch (error) {
      if (isBusy(error)) {
        busyTries++
        rejectOverdue(error)
      } else {
        waiting = waiting.slice(jobs.length)
        for (const job of jobs) job.reject(storeError(error, file))
      }
    }
    if (waiting.length > 0) schedule()
    else for (const resolve of idlers.splice(0)) resolve()
  }

  function runAll(jobs: Job[]): void {
    const answers: (() => void)[] = []
    try {
      for (const job of jobs) answers.push(job.run())
      transaction.commit()
    } catch (error) {
      transaction.rollback()
      for (const job of jobs) job.reject(storeError(error, file))
      return
    }
    for (const answer of answers) answer()
    onCommit()
  }

  function rejectOverdue(cause: unknown): void {
    const now = performance.now()
    const overdue = waiting.filter(job => job.deadline <= now)
    if (overdue.length === 0) return
    waiting = waiting.filter(job => job.deadline > now)
    const error = new StoreUnavailable(`${file} was locked by another process until the deadline`, { cause })
    for (const job of overdue) job.reject(error)
  }

  return {
    run: (write, deadline) =>
      new Promise((resolve, reject) => {
        const run = () => {
          try {
            const value = write()
            return () => resolve(value)
          } catch (error) {
            // A conflict may come of an append in this same transaction, so it too is told after the commit.
            if (error instanceof RevisionConflict) return () => reject(error)
            throw error
          }
        }
        waiting.push({ run, reject, deadline })
        schedule()
      }),
    idle: () => (waiting.length === 0 ? Promise.resolve() : new Promise(resolve => idlers.push(resolve))),
  }
}
