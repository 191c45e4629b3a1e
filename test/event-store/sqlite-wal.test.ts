import { copyFile, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { noStream, type Revision, StoreUnavailable } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { findWalDamage } from '../../src/event-store/sqlite-wal.ts'
import { readWhole, someEvents } from '../support/log-events.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const commits = 6
const headerBytes = 32

type Frame = { at: number; commits: boolean }
type Crashed = {
  file: string
  /** The frames of the write-ahead log by their offsets. */
  frames: Frame[]
  /** Where each commit ends. */
  ends: number[]
  /** Turns the bits of some bytes of the write-ahead log. */
  damage(at: number, length?: number): Promise<void>
  append(bytes: Buffer): Promise<void>
  /** How many of the appends are there, or why the log cannot be opened. */
  open(): Promise<number | string>
}

/** What a process leaves behind that was killed after some appends, of a transaction each. */
function afterCrash(use: (crashed: Crashed) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const written = join(folder, 'written.db')
    const file = join(folder, 'events.db')
    const store = await openSqliteEventStore({ file: written })
    let revision: Revision = noStream
    for (let n = 0; n < commits; n++)
      revision = (await store.append('user-1', someEvents(1), revision)).revision
    for (const suffix of ['', '-wal']) await copyFile(`${written}${suffix}`, `${file}${suffix}`)
    await store.close()

    const wal = await readFile(`${file}-wal`)
    const size = 24 + wal.readUInt32BE(8)
    const frames: Frame[] = []
    for (let at = headerBytes; at + size <= wal.length; at += size)
      frames.push({ at, commits: wal.readUInt32BE(at + 4) !== 0 })
    await use({
      file,
      frames,
      ends: frames.filter(frame => frame.commits).map(({ at }) => at + size),
      async damage(at, length = 1) {
        const bytes = await readFile(`${file}-wal`)
        for (let n = at; n < at + length; n++) bytes[n] = ~(bytes[n] ?? 0)
        await writeFile(`${file}-wal`, bytes)
      },
      append: async bytes => writeFile(`${file}-wal`, bytes, { flag: 'a' }),
      async open() {
        try {
          const opened = await openSqliteEventStore({ file })
          const found = (await readWhole(opened)).length
          await opened.close()
          return found
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error
          return error.message
        }
      },
    })
  })
}

describe('A write-ahead log left behind by a crash', () => {
  it('is taken as it is if it is whole', () =>
    afterCrash(async ({ file, open }) => {
      expect(findWalDamage(file)).to.equal(null)
      expect(await open()).to.equal(commits)
    }))

  it('may end in half a frame, or in garbage', () =>
    afterCrash(async ({ file, append, open }) => {
      const wal = await readFile(`${file}-wal`)
      await append(wal.subarray(-5000, -2000))
      await append(Buffer.alloc(20_000, 'garbage'))
      expect(findWalDamage(file)).to.equal(null)
      expect(await open()).to.equal(commits)
    }))

  it('may end in a transaction of which parts are missing: it was cut off', () =>
    afterCrash(async ({ file, ends, damage, open }) => {
      const last = ends.at(-2) ?? 0
      await damage(last + 100)
      expect(findWalDamage(file)).to.equal(null)
      expect(await open()).to.equal(commits - 1)
    }))

  it('may hold frames of before it was begun anew behind its last commit', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      const store = await openSqliteEventStore({ file })
      // More pages than it has before they are moved to the file, so that it begins anew over older ones.
      let revision: Revision = noStream
      const size = async () => (await stat(`${file}-wal`)).size
      for (let before = -1; before < (await size()); ) {
        before = await size()
        const large = someEvents(1).map(event => ({ ...event, data: { text: 'x'.repeat(900_000) } }))
        for (let n = 0; n < 4; n++) revision = (await store.append('user-1', large, revision)).revision
      }
      expect(findWalDamage(file)).to.equal(null)
      await store.close()
    }))

  it('is refused for damage that lost a commit, anywhere before the last one, and left as it was', () =>
    afterCrash(async ({ file, frames, ends, damage, open }) => {
      const wal = await readFile(`${file}-wal`)
      const lastBegins = ends.at(-2) ?? 0
      for (const { at } of frames.filter(frame => frame.at < lastBegins).filter((_, n) => n % 4 === 0)) {
        await damage(at + 24 + 1000, 50)
        const frame = (at - headerBytes) / (24 + wal.readUInt32BE(8)) + 1
        expect(await open()).to.match(
          new RegExp(
            `events.db-wal is damaged: .* frame ${frame} of ${frames.length} .*\\(truncate -s ${at} `,
          ),
        )
        await writeFile(`${file}-wal`, wal)
      }
      expect(await open()).to.equal(commits)
    }))

  it('is refused for a damaged header, whether of a frame or its own', () =>
    afterCrash(async ({ file, ends, damage, open }) => {
      const wal = await readFile(`${file}-wal`)
      for (const [at, length] of [
        [headerBytes, 24],
        [ends[1] ?? 0, 24],
        [0, 4],
        [8, 8],
        [16, 4],
        [24, 8],
        [0, headerBytes],
      ] as const) {
        await damage(at, length)
        expect(await open(), `${length} bytes at ${at}`).to.match(/events\.db-wal is damaged/)
        await writeFile(`${file}-wal`, wal)
      }
      expect(await open()).to.equal(commits)
    }))

  it('is opened without what was lost once it is cut as the refusal says', () =>
    afterCrash(async ({ file, ends, damage, open }) => {
      await damage((ends[2] ?? 0) + 1000)
      const [, bytes] = /truncate -s (\d+) /.exec(String(await open())) ?? []
      await truncate(`${file}-wal`, Number(bytes))
      expect(await open()).to.equal(2)
    }))

  it('is nothing to be refused where there is none, or an empty one', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'events.db')
      expect(findWalDamage(file)).to.equal(null)
      await writeFile(`${file}-wal`, '')
      expect(findWalDamage(file)).to.equal(null)
    }))
})
