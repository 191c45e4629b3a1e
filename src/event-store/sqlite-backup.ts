import { open } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { StoreUnavailable } from './event-store.ts'
import { storeError } from './sqlite-failures.ts'

export type BackingUp = {
  onProgress?(progress: { pages: number; total: number }): void
  signal?: AbortSignal
}

const pagesAtATime = 1000

/**
 * Copies a SQLite file as it is at this moment, while others read and write it, and resolves to whether that was done
 * before `signal` aborted. The copy is on disk then and found sound. Throws StoreUnavailable.
 */
export async function backUpSqlite(file: string, copy: string, backingUp: BackingUp = {}): Promise<boolean> {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true })
    try {
      // Whoever reads sees one moment until the end. Without this, each write of others would begin the copy anew.
      db.exec('BEGIN')
      db.prepare('SELECT count(*) FROM sqlite_schema').get()
      await db.backup(copy, { progress: progressOf(backingUp) })
    } finally {
      db.close()
    }
    if (await isStopped(backingUp)) return false
    requireSound(copy)
    if (await isStopped(backingUp)) return false
  } catch (error) {
    if (backingUp.signal?.aborted) return false
    throw storeError(error, file)
  }
  const handle = await open(copy, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  return true
}

function progressOf({ onProgress, signal }: BackingUp) {
  return ({ totalPages, remainingPages }: Database.BackupMetadata): number => {
    signal?.throwIfAborted()
    onProgress?.({ pages: totalPages - remainingPages, total: totalPages })
    return pagesAtATime
  }
}

/** Lets a signal in first: nothing is heard while SQLite works. */
async function isStopped({ signal }: BackingUp): Promise<boolean> {
  await nextTurn()
  return signal?.aborted ?? false
}

/** Throws if the copy is damaged: then the file it was made from is. */
function requireSound(copy: string): void {
  // Not for reading only, or closing it would leave its two other files behind.
  const db = new Database(copy)
  try {
    const found = db.pragma('quick_check(1)', { simple: true })
    if (found !== 'ok') throw new StoreUnavailable(`expected a sound copy, found damage: ${found}`)
  } finally {
    db.close()
  }
}
