import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { beforeAll, noStream, StoreUnavailable } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { anEvent, idsOf, readWhole, someEvents } from '../support/log-events.ts'
import { openSqliteInFolder } from '../support/sqlite-stores.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'
import { eventStoreConformance } from './conformance.ts'

eventStoreConformance('SQLite', () => openSqliteInFolder())

describe('The SQLite event log', () => {
  const withFile = (use: (file: string) => Promise<void>) =>
    withTemporaryFolder(folder => use(join(folder, 'data', 'events.db')))

  async function unavailable(call: Promise<unknown>): Promise<string> {
    const error = await call.then(
      () => 'no error',
      (reason: unknown) => reason,
    )
    expect(error).to.be.instanceOf(StoreUnavailable)
    return String(error)
  }

  /** The transactions in a write-ahead log: frames of a header of 24 bytes and a page; the last of each says so. */
  async function transactionsIn(file: string): Promise<number> {
    const wal = await readFile(`${file}-wal`)
    const frame = 24 + wal.readUInt32BE(8)
    let transactions = 0
    for (let at = 32; at + frame <= wal.length; at += frame)
      if (wal.readUInt32BE(at + 4) !== 0) transactions++
    return transactions
  }

  it('is at position beforeAll while it is empty, then at its last event', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      expect(await store.head()).to.equal(beforeAll)
      await store.append('user-1', someEvents(2), noStream)
      const [last] = await store.readStream('user-1', { direction: 'backwards', limit: 1 })
      expect(await store.head()).to.equal(last?.position)
      await store.close()
    }))

  it('commits appends made at once in one transaction, those with a conflict between them', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      await store.append('user-0', someEvents(1), noStream)
      const before = await transactionsIn(file)
      const results = await Promise.allSettled(
        Array.from({ length: 32 }, (_, index) =>
          store.append(`user-${index}`, someEvents(1), index % 8 === 1 ? 5n : noStream),
        ),
      )
      expect(results.filter(result => result.status === 'rejected')).to.have.length(5)
      expect((await transactionsIn(file)) - before).to.equal(1)
      await store.close()
    }))

  it('stores the others of a transaction in which one append cannot be stored', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      const broken = anEvent({}, { id: null as never })
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, (_, index) =>
          store.append(`user-${index}`, index === 2 ? [anEvent(), broken] : someEvents(2), noStream),
        ),
      )
      const done = results.map(result => result.status === 'fulfilled')
      expect(done).to.deep.equal([true, true, false, true, true])
      expect(await readWhole(store)).to.have.length(8)
      expect(await store.readStream('user-2')).to.deep.equal([])
      await store.close()
    }))

  it('takes appends that follow one another at once, each at the revision that the one before leaves', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      const events = someEvents(600)
      await Promise.all(events.map((event, index) => store.append('user-1', [event], BigInt(index) - 1n)))
      expect(idsOf(await store.readStream('user-1'))).to.deep.equal(idsOf(events))
      await store.close()
    }))

  it('goes on with the revisions and positions of a stream truncated behind its last event', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      await store.append('session-1', someEvents(3), noStream)
      const head = await store.head()
      await store.truncate('session-1', 3n)
      expect(await store.readStream('session-1')).to.deep.equal([])
      expect(await store.head()).to.equal(head)
      await store.close()

      const again = await openSqliteEventStore({ file })
      const refused = await again
        .append('session-1', someEvents(1), noStream)
        .catch((error: unknown) => error)
      expect(refused).to.include({ name: 'RevisionConflict', actual: 2n })
      expect(await again.append('session-1', someEvents(1), 2n)).to.deep.equal({ revision: 3n })
      const [event] = await again.readStream('session-1')
      expect(event?.position).to.equal(head + 1n)
      await again.close()
    }))

  it('is found by a symbolic link, with the files beside it', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      await store.append('user-1', someEvents(1), noStream)
      const link = `${file}-link`
      await symlink(file, link)
      const linked = await openSqliteEventStore({ file: link })
      await linked.append('user-1', someEvents(1), 0n)
      expect(await readWhole(store)).to.have.length(2)
      await linked.close()
      await store.close()
    }))

  it('leaves no trace of truncated events in its file', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      await store.append('user-1', [anEvent({ bio: 'planted '.repeat(1000) }), ...someEvents(1)], noStream)
      await store.truncate('user-1', 1n)
      expect(await readWhole(store)).to.have.length(1)
      await store.close()
      expect((await readFile(file)).includes('planted')).to.equal(false)
    }))

  it('refuses an append of more than the maximum, and takes one of just that', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file, maxAppendBytes: 1000 })
      const sized = (bytes: number) => {
        const event = anEvent({ text: 'é' })
        const taken = Buffer.byteLength(
          event.type + JSON.stringify(event.data) + JSON.stringify(event.metadata),
        )
        return { ...event, data: { text: `é${'x'.repeat(bytes - taken)}` } }
      }
      await store.append('user-1', [sized(1000)], noStream)
      const refused = await store.append('user-1', [sized(1001)], 0n).catch((error: unknown) => error)
      expect(refused).to.have.property('name', 'EventTooLarge')
      expect(String(refused)).to.contain('append of 1001 bytes to user-1, the store takes at most 1000')
      await store.close()
    }))

  it('gives batches of bounded size, in events and in bytes', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      for (let stream = 0; stream < 12; stream++) {
        await store.append(`large-${stream}`, [anEvent({ text: 'x'.repeat(900_000) })], noStream)
      }
      await store.append('small', someEvents(2000), noStream)
      let count = 0
      for await (const { events } of store.readAll()) {
        count += events.length
        expect(events).to.have.length.below(513)
        expect(events.filter(event => event.stream !== 'small')).to.have.length.below(7)
      }
      expect(count).to.equal(2012)
      await store.close()
    }))

  it('waits for a lock of another process without holding up its own, and says so at the deadline', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      const other = new Database(file)
      other.exec('BEGIN IMMEDIATE')
      let turns = 0
      const turning = setInterval(() => turns++, 1)
      const refused = store.append('user-1', someEvents(1), noStream, performance.now() + 60)
      const taken = store.append('user-2', someEvents(1), noStream)
      expect(await unavailable(refused)).to.match(
        /events\.db was locked by another process until the deadline/,
      )
      expect(turns).to.be.above(1)
      expect(await store.readStream('user-2')).to.deep.equal([])
      other.exec('ROLLBACK')
      expect(await taken).to.deep.equal({ revision: 0n })
      expect(await store.readStream('user-1')).to.deep.equal([])
      clearInterval(turning)
      other.close()
      await store.close()
    }))

  it('opens a log made without an index of erasures also while another process writes it', () =>
    withFile(async file => {
      const before = await openSqliteEventStore({ file })
      await before.append('user-1', [anEvent({}, { type: 'UserErased' })], noStream)
      await before.close()
      const other = new Database(file)
      other.exec('DROP INDEX erasures; BEGIN IMMEDIATE')
      const store = await openSqliteEventStore({ file, patienceMs: 20 })
      const filter = { prefixes: ['user-'], types: ['UserErased'] }
      expect(await readWhole(store, { filter })).to.have.length(1)
      other.exec('ROLLBACK')
      other.close()
      await store.close()
    }))

  it('says that a file is no database, or a damaged one, and which', () =>
    withFile(async file => {
      const store = await openSqliteEventStore({ file })
      for (let index = 0; index < 50; index++) {
        await store.append(`user-${index}`, [anEvent({ text: 'x'.repeat(2000) })], noStream)
      }
      await store.close()
      const bytes = await readFile(file)

      await writeFile(
        file,
        Buffer.concat([bytes.subarray(0, 20_480), Buffer.alloc(bytes.length - 20_480, 0xa5)]),
      )
      const damaged = await openSqliteEventStore({ file })
      const sentence =
        /^StoreUnavailable: \S+events\.db is damaged \(SQLITE_CORRUPT.*\): restore it from a backup$/
      expect(await unavailable(readWhole(damaged))).to.match(sentence)
      const { signal } = new AbortController()
      const next = damaged.subscribe({ after: beforeAll, signal })[Symbol.asyncIterator]().next()
      expect(await unavailable(next)).to.match(sentence)
      expect(await unavailable(damaged.append('user-1', someEvents(1), 0n))).to.match(sentence)
      await damaged.close()

      await writeFile(file, 'This was a log once.'.repeat(100))
      expect(await unavailable(openSqliteEventStore({ file }))).to.match(
        /events\.db is damaged \(SQLITE_NOTADB/,
      )
    }))

  it('refuses a file of a newer schema, and a path where no file can be', () =>
    withFile(async file => {
      await (await openSqliteEventStore({ file })).close()
      const other = new Database(file)
      other.pragma('user_version = 99')
      other.close()
      const newer = await openSqliteEventStore({ file }).catch((error: unknown) => error)
      expect(String(newer)).to.match(/expected \S+events\.db to have schema version 1, found 99/)
      const inFile = await openSqliteEventStore({ file: join(file, 'events.db') }).catch(
        (error: unknown) => error,
      )
      expect(String(inFile)).to.contain(file)
    }))
})
