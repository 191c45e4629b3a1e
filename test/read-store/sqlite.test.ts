import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { StoreUnavailable } from '../../src/event-store/event-store.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'
import { auditConformance } from './audit-conformance.ts'
import { people, readStoreConformance } from './conformance.ts'
import { sessionConformance } from './session-conformance.ts'

async function fresh() {
  const folder = await mkdtemp(join(tmpdir(), 'roster-read-store-'))
  return {
    connect: () => openSqliteReadStore(join(folder, 'read.db')),
    remove: () => rm(folder, { recursive: true }),
  }
}

readStoreConformance('sqlite.ts', fresh)
auditConformance('sqlite.ts', fresh)
sessionConformance('sqlite.ts', fresh)

describe('a read.db of an older form', () => {
  it('is emptied, to be rebuilt from the log', async () => {
    await withTemporaryFolder(async folder => {
      const file = join(folder, 'read.db')
      const first = await openSqliteReadStore(file)
      await first.createGeneration(people)
      await first.close()
      const db = new Database(file)
      const format = Number(db.pragma('user_version', { simple: true }))
      db.pragma(`user_version = ${format - 1}`)
      db.close()
      const second = await openSqliteReadStore(file)
      expect(await second.generations('people')).to.deep.equal([])
      await second.createGeneration(people)
      await second.close()
    })
  })

  it('of a newer form is left alone', async () => {
    await withTemporaryFolder(async folder => {
      const file = join(folder, 'read.db')
      const db = new Database(file)
      db.pragma('user_version = 999')
      db.close()
      const opening = openSqliteReadStore(file)
      expect(await opening.then(() => null, String)).to.include('found 999')
    })
  })
})

describe('a file that is no read store', () => {
  it('is refused with what to do about it', async () => {
    await withTemporaryFolder(async folder => {
      const file = join(folder, 'read.db')
      await writeFile(file, 'x'.repeat(10_000))
      const opening = openSqliteReadStore(file)
      const error: unknown = await opening.then(
        () => null,
        reason => reason,
      )
      expect(error).to.be.instanceOf(StoreUnavailable)
      expect(String(error)).to.include('is damaged').and.to.include('it is rebuilt')
    })
  })
})

describe('a read store whose file another process has locked', () => {
  it('waits for it without holding up the event loop, and reads meanwhile', async () => {
    await withTemporaryFolder(async folder => {
      const file = join(folder, 'read.db')
      const store = await openSqliteReadStore(file)
      const other = new Database(file)
      other.exec('BEGIN IMMEDIATE')
      let written = false
      const writing = store.beat('a', []).then(() => {
        written = true
      })
      for (let turn = 0; turn < 20; turn++) {
        expect(await store.workers()).to.deep.equal([])
        await new Promise(resolve => setImmediate(resolve))
      }
      expect(written).to.equal(false)
      other.exec('COMMIT')
      await writing
      expect(await store.workers()).to.have.length(1)
      other.close()
      await store.close()
      expect(store.isDown()).to.equal(true)
      expect(
        await store.workers().then(
          () => null,
          reason => reason,
        ),
      ).to.be.instanceOf(StoreUnavailable)
    })
  })
})
