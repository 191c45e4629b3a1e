import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { noStream, StoreUnavailable } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { anEvent, someEvents } from '../support/log-events.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const planted = 'xq7vplanted'

/** A log in which a stream was truncated that told something, among others that were not. */
async function withTruncated(
  use: (world: { file: string; purge(): Promise<void>; tells(): Promise<boolean> }) => Promise<void>,
  padding = 100,
): Promise<void> {
  await withTemporaryFolder(async folder => {
    const file = join(folder, 'events.db')
    const store = await openSqliteEventStore({ file, patienceMs: 300 })
    try {
      for (let other = 0; other < 40; other++) {
        await store.append(`other-${other}`, [anEvent({ text: '-'.repeat(padding) })], noStream)
        await store.append(`told-${other}`, [anEvent({ text: planted }), ...someEvents(1)], noStream)
      }
      for (let other = 0; other < 40; other++) await store.truncate(`told-${other}`, 1n)
      const contents = async () => Buffer.concat([await readFile(file), await readFile(`${file}-wal`)])
      const tells = async () => (await contents()).includes(planted)
      await use({ file, purge: () => store.purge(), tells })
      expect(await store.readStream('told-7')).to.have.lengthOf(1)
      expect(await store.readStream('other-7')).to.have.lengthOf(1)
    } finally {
      await store.close()
    }
  })
}

describe('A purge of a log in SQLite', () => {
  it('leaves nothing of what was truncated in its files', () =>
    withTruncated(async ({ file, purge, tells }) => {
      expect(await tells()).to.equal(true)
      await purge()
      expect(await tells()).to.equal(false)
      expect((await stat(`${file}-wal`)).size).to.equal(0)
    }))

  it('does so in a file that is too large to be written anew', () =>
    withTruncated(async ({ file, purge, tells }) => {
      await purge()
      expect((await stat(file)).size).to.be.greaterThan(16 * 1024 * 1024)
      expect(await tells()).to.equal(false)
    }, 500_000))

  it('is refused while somebody reads what was before, and serves together who asks at once', () =>
    withTruncated(async ({ file, purge, tells }) => {
      const reader = new Database(file)
      reader.exec('BEGIN; SELECT count(*) FROM events')
      const refused = await Promise.all([purge(), purge()].map(each => each.catch(error => error)))
      for (const error of refused) {
        expect(error).to.be.instanceOf(StoreUnavailable)
        expect(String(error)).to.contain('somebody reads what was before')
      }
      reader.close()
      await Promise.all([purge(), purge(), purge()])
      expect(await tells()).to.equal(false)
    }))
})
