import type Database from 'better-sqlite3'
import { StoreUnavailable } from './event-store.ts'
import { whileBusy } from './sqlite-failures.ts'

/**
 * Moves the write-ahead log of a SQLite file into it and cuts it off: with `secure_delete`, what was deleted is
 * overwritten in the file then. Throws StoreUnavailable while somebody reads what was before, at `deadline`
 * (`performance.now()` milliseconds).
 */
export async function emptyWal(db: Database.Database, file: string, deadline: number): Promise<void> {
  await whileBusy(file, deadline, () => {
    const [result] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number | bigint }[]
    if (Number(result?.busy ?? 1) !== 0) throw new Busy()
  }).catch(error => {
    if (!(error instanceof Busy)) throw error
    throw new StoreUnavailable(`${file}-wal cannot be cut off: somebody reads what was before`, {
      cause: error,
    })
  })
}

/** In the form that SQLite's own errors have. */
class Busy extends Error {
  readonly code = 'SQLITE_BUSY'
}
