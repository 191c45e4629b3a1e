import { setTimeout as pause } from 'node:timers/promises'
import { StoreUnavailable } from './event-store.ts'

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Another connection holds a lock, or two met on one (PROTOCOL); that passes by itself. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return code.startsWith('SQLITE_BUSY') || code === 'SQLITE_PROTOCOL'
}

/** The file's content is wrong, or a StoreUnavailable that says so: no waiting will mend it. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error instanceof StoreUnavailable ? error.cause : error)
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB'
}

/** What SQLite says of `file` (locked, disk full, damage …) in the port's words; other errors as they are. */
export function storeError(error: unknown, file: string): unknown {
  const code = codeOf(error)
  if (!(error instanceof Error) || !code.startsWith('SQLITE_')) return error
  const said = `(${code}: ${error.message})`
  if (isDamage(error)) {
    return new StoreUnavailable(`${file} is damaged ${said}: restore it from a backup`, { cause: error })
  }
  if (isBusy(error)) {
    return new StoreUnavailable(`${file} was locked by another process until the deadline ${said}`, {
      cause: error,
    })
  }
  return new StoreUnavailable(`${file} cannot be used now ${said}`, { cause: error })
}

/** Between two tries: at first a few milliseconds, then up to 10, random so that two processes do not keep step. */
export function jitter(tries: number): number {
  return 1 + Math.random() * Math.min(tries, 9)
}

/**
 * What `attempt` returns, trying again while the file is busy until `deadline` (`performance.now()` milliseconds).
 * Throws StoreUnavailable then, and for whatever else SQLite has against it.
 */
export function whileBusy<T>(file: string, deadline: number, attempt: () => T): Promise<T> {
  // The first try is made at once and costs one promise: most end here.
  try {
    return Promise.resolve(attempt())
  } catch (error) {
    return tryAgain(file, deadline, attempt, error)
  }
}

async function tryAgain<T>(file: string, deadline: number, attempt: () => T, first: unknown): Promise<T> {
  for (let tries = 1, error = first; ; tries++) {
    if (!isBusy(error) || performance.now() >= deadline) throw storeError(error, file)
    await pause(jitter(tries))
    try {
      return attempt()
    } catch (again) {
      error = again
    }
  }
}
