import Database from 'better-sqlite3'
import { StoreUnavailable } from './event-store.ts'
import { whileBusy } from './sqlite-failures.ts'

/** To write a file of this size anew takes some hundredths of a second, for which nothing else happens. */
const writtenAnewUpToBytes = 16 * 1024 * 1024

/** In the form that SQLite's own errors have. */
class Busy extends Error {
  readonly code = 'SQLITE_BUSY'
}

/**
 * Makes an end of what was deleted from a SQLite file that is kept with `secure_delete`, which overwrites it but for
 * copies in the unused parts of pages that were split: so a small file is written anew. Then the write-ahead log is moved
 * into the file and cut off. Those who ask while another one waits are served together. Throws StoreUnavailable if
 * somebody reads what was before for `patienceMs`.
 */
export function createPurge(file: string, patienceMs: number): () => Promise<void> {
  let waiting: Promise<void> | null = null
  let running: Promise<unknown> = Promise.resolve()

  return () => {
    waiting ??= running.then(() => {
      waiting = null
      const run = purge(file, performance.now() + patienceMs)
      running = run.catch(() => {})
      return run
    })
    return waiting
  }
}

async function purge(file: string, deadline: number): Promise<void> {
  // A connection of its own: others may be within a transaction.
  const db = await whileBusy(file, deadline, () => new Database(file, { timeout: 0, fileMustExist: true }))
  try {
    db.pragma('synchronous = FULL')
    db.pragma('secure_delete = ON')
    if (sizeOf(db) <= writtenAnewUpToBytes) await whileBusy(file, deadline, () => void db.exec('VACUUM'))
    await whileBusy(file, deadline, () => emptyWal(db))
  } catch (error) {
    if (!(error instanceof StoreUnavailable && error.cause instanceof Busy)) throw error
    const reason = `${file}-wal cannot be cut off: somebody reads what was before`
    throw new StoreUnavailable(reason, { cause: error })
  } finally {
    db.close()
  }
}

/** Throws Busy if somebody is in the way. */
function emptyWal(db: Database.Database): void {
  const [result] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  if (result?.busy !== 0) throw new Busy('somebody reads what was before')
}

function sizeOf(db: Database.Database): number {
  const [pages, bytes] = ['page_count', 'page_size'].map(name => Number(db.pragma(name, { simple: true })))
  return (pages ?? 0) * (bytes ?? 0)
}
