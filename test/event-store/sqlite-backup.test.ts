import { join } from 'node:path'
import { expect } from 'chai'
import { backUpSqlite } from '../../src/event-store/sqlite-backup.ts'
import { register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

/** Calls `then` after so many turns of the event loop. */
function inTurns(turns: number, then: () => void): void {
  if (turns === 0) then()
  else setImmediate(() => inTurns(turns - 1, then))
}

describe('a backup of a SQLite file', () => {
  for (const turns of [1, 2, 3]) {
    it(`is stopped also ${turns} turns of the event loop after its last progress`, () =>
      withTemporaryFolder(async folder => {
        await withLogIn(folder, store => register(store, 1))
        const stop = new AbortController()
        let isTold = false
        const onProgress = () => {
          if (!isTold) inTurns(turns, () => stop.abort())
          isTold = true
        }
        const { signal } = stop
        const copy = join(folder, 'copy.db')
        expect(await backUpSqlite(join(folder, 'events.db'), copy, { onProgress, signal })).to.equal(false)
      }))
  }
})
