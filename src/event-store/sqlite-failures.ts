import { setTimeout as pause } from 'node:timers/promises'
import { StoreUnavailable } from './event-store.ts'

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Another connection holds a lock; it passes by itself. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')
}

/** The file's content is wrong: no retry will mend it. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error)
  return code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')
}

/** What SQLite says (disk full, I/O error, damage …) in the words of the port; anything else is a bug of ours. */
export function storeError(error: unknown, file: string): unknown {
  const code = codeOf(error)
  if (!(error instanceof Error) || !code.startsWith('SQLITE_')) return error
  if (isDamage(error)) {
    return new StoreUnavailable(
      `${file} is damaged, or is no event log (${code}: ${error.message}); restore it from a backup`,
      { cause: error },
    )
  }
  return new StoreUnavailable(`${file} cannot be used now (${code}: ${error.message})`, { cause: error })
}

/** 1 to 20 ms, longer the more often it was tried, never twice the same for two processes. */
export function jitter(attempt: number): number {
  return 1 + Math.random() * Math.min(19, 2 * attempt)
}

/** Tries again while the file is busy, until `deadline` (`performance.now()` ms); then throws StoreUnavailable. */
export async function whileBusy<T>(file: string, deadline: number, attempt: () => T): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw storeError(error, file)
    }
    await pause(jitter(tries))
  }
}
