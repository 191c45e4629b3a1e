import { RevisionConflict } from './event-store.ts'
import { isBusy, jitter, storeError } from './sqlite-failures.ts'

/**
 * One transaction at a time on one connection. What was committed is on disk once `sync`, begun after it, has resolved:
 * the event loop is free meanwhile.
 */
export type Transaction = { begin(): Promise<void>; commit(): void; rollback(): void; sync(): Promise<void> }

export type GroupCommit = {
  /**
   * Runs `write` in a transaction shared with whatever else is asked for meanwhile, and resolves to what it
   * returned once that is on disk. `write` may refuse with RevisionConflict if it wrote nothing. After any other
   * error nothing of the transaction is kept, and each of its writes is tried once more by itself. Throws
   * StoreUnavailable if SQLite fails, or another process holds the file until `deadline` (`performance.now()` ms), or
   * what was committed cannot be brought to the disk: then, too, it may be there later.
   */
  run<T>(write: () => T, deadline: number): Promise<T>
  /** Resolves when nothing is waiting or running. */
  idle(): Promise<void>
}

/** `run` writes, and returns the function that tells the caller so once that is on disk. */
type Job = { run: () => () => void; reject: (error: unknown) => void; deadline: number }

/** So that a burst does not hold the event loop for long. */
const jobsPerTransaction = 256
/** While the event loop brings ever more writes, so long at most: what a transaction costs is then shared by more. */
const gatherMs = 2
/** A transaction of another process takes less than a millisecond, as a rule: for so long look again at once. */
const pauselessMs = 3

/** Gathers writes while the last ones go to disk, and as long as each turn of the event loop brings more. */
export function groupCommit(file: string, transaction: Transaction): GroupCommit {
  let waiting: Job[] = []
  let scheduled = false
  /** How many of the first in `waiting` failed together, and so get a transaction each. */
  let suspects = 0
  let busySince: number | undefined
  const idlers: (() => void)[] = []

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    const waited = busySince === undefined ? 0 : performance.now() - busySince
    if (waited < pauselessMs) gather(0, performance.now() + gatherMs)
    else setTimeout(flush, jitter(waited / pauselessMs))
  }

  function gather(gathered: number, until: number): void {
    setImmediate(() => {
      if (waiting.length > gathered && performance.now() < until) gather(waiting.length, until)
      else void flush()
    })
  }

  async function flush(): Promise<void> {
    try {
      await transaction.begin()
      busySince = undefined
      await commit(waiting.splice(0, suspects > 0 ? 1 : jobsPerTransaction))
    } catch (error) {
      busySince ??= performance.now()
      // A lock passes by itself, so its waiters have until their deadline; anything else is told at once.
      rejectOverdue(isBusy(error) ? performance.now() : Number.POSITIVE_INFINITY, error)
    }
    scheduled = false
    if (waiting.length > 0) schedule()
    else for (const resolve of idlers.splice(0)) resolve()
  }

  async function commit(jobs: Job[]): Promise<void> {
    if (suspects > 0) suspects--
    const answers: (() => void)[] = []
    try {
      for (const job of jobs) answers.push(job.run())
      transaction.commit()
    } catch (error) {
      if (jobs.length > 1) {
        suspects = jobs.length
        waiting = [...jobs, ...waiting]
      } else {
        for (const job of jobs) job.reject(storeError(error, file))
      }
      transaction.rollback()
      return
    }
    try {
      await transaction.sync()
      for (const answer of answers) answer()
    } catch (error) {
      for (const job of jobs) job.reject(storeError(error, file))
    }
  }

  function rejectOverdue(now: number, error: unknown): void {
    for (const job of waiting) if (job.deadline <= now) job.reject(storeError(error, file))
    waiting = waiting.filter(job => job.deadline > now)
    suspects = Math.min(suspects, waiting.length)
  }

  return {
    run: (write, deadline) =>
      new Promise((resolve, reject) => {
        const run = () => {
          try {
            const value = write()
            return () => resolve(value)
          } catch (error) {
            // The conflict may be with another append of this transaction, so it too holds only once committed.
            if (error instanceof RevisionConflict) return () => reject(error)
            throw error
          }
        }
        waiting.push({ run, reject, deadline })
        schedule()
      }),
    idle: () => (!scheduled ? Promise.resolve() : new Promise(resolve => idlers.push(resolve))),
  }
}
