import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Position } from '../../src/event-store/event-store.ts'
import { openDurability } from '../../src/event-store/sqlite-durability.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

/** A disk that does what it is asked to when it is told. */
function slowDisk() {
  const asked: { done(): void; fail(error: Error): void }[] = []
  const sync = () => new Promise<void>((done, fail) => void asked.push({ done, fail }))
  return { asked, sync }
}

async function opened(work: (log: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async folder => {
    const log = await open(folder)
    await work(log)
    await log.durability.close()
  })
}

async function open(folder: string) {
  const file = join(folder, 'events.db')
  await writeFile(`${file}-wal`, '')
  const disk = slowDisk()
  let committed: Position = 3n
  const opening = openDurability(file, Number.POSITIVE_INFINITY, () => committed, disk.sync)
  while (disk.asked.length === 0) await new Promise(resolve => setImmediate(resolve))
  disk.asked.shift()?.done()
  const durability = await opening
  return { durability, disk, commit: (position: Position) => (committed = position) }
}

describe('What of a log is on disk', () => {
  it('is what was committed before the disk was asked, once it has answered', () =>
    opened(async ({ durability, disk, commit }) => {
      expect(durability.head(() => {})).to.equal(3n)
      commit(5n)
      const synced = durability.sync()
      commit(6n)
      expect(durability.head(() => {})).to.equal(3n)
      disk.asked.shift()?.done()
      await synced
      expect(durability.head(() => {})).to.equal(5n)
      disk.asked.shift()?.done()
    }))

  it('goes after what another process committed, and tells who waits for it', () =>
    opened(async ({ durability, disk, commit }) => {
      commit(4n)
      const told = new Promise<void>(resolve => expect(durability.head(resolve)).to.equal(3n))
      disk.asked.shift()?.done()
      await told
      expect(durability.head(() => {})).to.equal(4n)
    }))

  it('is not guessed at after the disk has failed: every later write is refused', () =>
    opened(async ({ durability, disk, commit }) => {
      commit(4n)
      const synced = durability.sync().catch((error: unknown) => error)
      disk.asked.shift()?.fail(new Error('EIO: i/o error, fdatasync'))
      const failure = await synced
      expect(String(failure)).to.match(
        /StoreUnavailable: .*events\.db could not be brought to the disk \(EIO/,
      )
      expect(() => durability.requireIntact()).to.throw('could not be brought to the disk')
      expect(await durability.sync().catch((error: unknown) => error)).to.equal(failure)
      expect(durability.head(() => {})).to.equal(3n)
    }))
})
