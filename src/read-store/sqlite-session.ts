import { setTimeout as pause } from 'node:timers/promises'
import { StoreUnavailable } from '../event-store/event-store.ts'
import { isBusy, isDamage, jitter } from '../event-store/sqlite-failures.ts'
import { createInARow } from '../event-store/sqlite-in-a-row.ts'
import type { Connection } from './sqlite.ts'

/** One connection's work: tried again while another process has the file, and failures in the port's words. */
export type Session = {
  db: Connection
  read<T>(work: () => T): Promise<T>
  /** The same at the end of this turn of the event loop, in a row with others: for what requests ask. */
  answer<T>(work: () => T): Promise<T>
  /** Runs `work` in a transaction of its own. Whatever it throws undoes it. */
  write<T>(work: () => T): Promise<T>
  isDown(): boolean
  /** Closes the connection, once what was asked for is done. */
  close(): void
}

const patienceMs = 5000

export function createSession(db: Connection): Session {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const inARow = createInARow()
  let down = false

  // SQLite's own waiting would hold up the event loop.
  async function whileBusy<T>(attempt: () => T): Promise<T> {
    const deadline = performance.now() + patienceMs
    for (let tries = 0; ; tries++) {
      try {
        const value = attempt()
        down = false
        return value
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) {
          const failure = readStoreError(error, db.name)
          down = failure instanceof StoreUnavailable && failure !== error
          throw failure
        }
      }
      await pause(jitter(tries))
    }
  }

  function transaction<T>(work: () => T): T {
    begin.run()
    try {
      const value = work()
      commit.run()
      return value
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  return {
    db,
    read: whileBusy,
    answer: work => inARow(() => whileBusy(work)),
    write: work => whileBusy(() => transaction(work)),
    isDown: () => down || !db.open,
    close() {
      inARow.flush()
      db.close()
    },
  }
}

/** What SQLite says in the words of the port; anything else is as it was. */
export function readStoreError(error: unknown, file: string): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (isDamage(error)) {
    return new StoreUnavailable(
      `${file} is damaged, or is no read store (${code}: ${error.message}); stop Roster and remove it: it is rebuilt`,
      { cause: error },
    )
  }
  if (code.startsWith('SQLITE_')) {
    return new StoreUnavailable(`${file} cannot be used now (${code}: ${error.message})`, { cause: error })
  }
  if (error instanceof TypeError && error.message.includes('database connection is not open')) {
    return new StoreUnavailable(`${file} is closed`, { cause: error })
  }
  return error
}
