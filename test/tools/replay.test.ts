import { join } from 'node:path'
import { expect } from 'chai'
import { profiles } from '../../projections/profiles.ts'
import type { ParkedStream } from '../../src/read-store/read-store.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { anEvent } from '../support/log-events.ts'
import { roster } from '../support/run-roster.ts'
import { register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

type Row = { projection: string; generation: number; use: string; parked: number; progress: number }

/** A log of some users, and how to run tools on it. */
function withLog(use: (run: Tool, dataDir: string) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const dataDir = join(folder, 'data')
    await withLogIn(dataDir, store => register(store, 5))
    await use((...args) => roster({ DATA_DIR: dataDir }, args), dataDir)
  })
}
type Tool = (...args: string[]) => ReturnType<typeof roster>

async function status(run: Tool): Promise<string[]> {
  const rows: Row[] = JSON.parse((await run('replay', '--status', '--json', 'profiles')).stdout)
  return rows.map(
    ({ generation, use, parked }) => `${generation} ${use}${parked > 0 ? ` ${parked} parked` : ''}`,
  )
}

/** Says that a stream is parked, as a worker of an older Roster did. */
async function park(dataDir: string, parked: ParkedStream): Promise<void> {
  const readStore = await openSqliteReadStore(join(dataDir, 'read.db'))
  try {
    const [generation] = await readStore.generations('profiles')
    if (!generation) throw new Error('expected a generation, found none')
    const fold = () => ({ writes: [], parked: [parked] })
    const { follower } = parked
    await readStore
      .open(generation, profiles)
      .apply({ keys: [], fold, follower, progress: [], searchLater: false })
  } finally {
    await readStore.close()
  }
}

describe('roster replay', () => {
  it('builds a read model anew beside the one in use, without a service, and goes back to that', () =>
    withLog(async run => {
      expect(await status(run)).to.deep.equal([])
      expect((await run('replay', '--rollback', 'profiles')).code).to.equal(1)
      for (const generation of [1, 2]) {
        const built = await run('replay', '--json', 'profiles')
        expect(built.code, built.stderr).to.equal(0)
        expect(JSON.parse(built.stdout)[0]).to.include({ projection: 'profiles', generation })
      }
      expect(await status(run)).to.deep.equal(['1 previous', '2 live'])
      expect((await run('replay', '--rollback', 'profiles')).code).to.equal(0)
      expect(await status(run)).to.deep.equal(['1 live, pinned', '2 previous'])
    }))

  it('stops when it is told to, and goes on with what was begun', () =>
    withLog(async (run, dataDir) => {
      const stopped = await roster({ DATA_DIR: dataDir }, ['replay', 'profiles'], AbortSignal.abort())
      expect(stopped.stderr + stopped.stdout).to.match(/the same command|generation 1 is in use/)
      expect((await run('replay', 'profiles')).code).to.equal(0)
    }))

  it('goes on with a rollback that was stopped, and refuses one while a read model is built', () =>
    withLog(async (run, dataDir) => {
      await run('replay', 'profiles')
      const stopAtOnce = (...args: string[]) => roster({ DATA_DIR: dataDir }, args, AbortSignal.abort())
      expect((await stopAtOnce('replay', 'profiles')).code).to.equal(130)
      const refused = await run('replay', '--rollback', 'profiles')
      expect(refused.code).to.equal(1)
      expect(refused.stderr).to.include('found generation 2 being built')

      expect((await run('replay', 'profiles')).code).to.equal(0)
      expect((await stopAtOnce('replay', '--rollback', 'profiles')).code).to.equal(130)
      const goneOn = await run('replay', '--rollback', 'profiles')
      expect(goneOn.code, goneOn.stderr).to.equal(0)
      expect(await status(run)).to.deep.equal(['1 live, pinned', '2 previous'])
    }))

  it('rolls nothing back unless all that was asked for can be', () =>
    withLog(async run => {
      for (const _generation of [1, 2]) await run('replay', 'profiles')
      const refused = await run('replay', '--rollback')
      expect(refused.code).to.equal(1)
      expect(refused.stderr).to.match(/expected a generation of \w+ before the present one, found none/)
      expect(await status(run)).to.deep.equal(['1 previous', '2 live'])
    }))

  it('refuses a projection that is none, and a log that is not there', () =>
    withLog(async run => {
      expect((await run('replay', 'nothing')).code).to.equal(2)
      expect((await roster({ DATA_DIR: '/nonexistent' }, ['replay'])).code).to.equal(3)
    }))
})

describe('roster parked', () => {
  it('lists and explains what cannot be applied, and tries it again', () =>
    withLog(async (run, dataDir) => {
      await run('replay', 'profiles')
      expect(await run('parked')).to.include({ code: 0, stdout: 'nothing is parked\n' })

      const event = anEvent({}, { type: 'FromTheFuture' })
      await withLogIn(dataDir, store => store.append('user-2', [event], 0n))
      const since = '2026-01-01T12:00:00.000Z'
      const mended = { follower: 'profiles.1', stream: 'user-1', revision: 0n, key: '1', error: 'was wrong' }
      await park(dataDir, { ...mended, since, retry: false })
      await park(dataDir, { ...mended, stream: 'user-2', revision: 1n, key: null, since, retry: false })
      const listed = await run('parked')
      expect(listed.code).to.equal(1)
      expect(listed.stdout).to.include(
        'user-1 in profiles.1, since 2026-01-01T12:00:00.000Z, at revision 0, UserRegistered',
      )
      expect(await status(run)).to.deep.equal(['1 live 2 parked'])

      expect((await run('parked', '--retry', 'user-1')).code).to.equal(0)
      const still = await run('parked', '--retry', '--json')
      expect(still.code).to.equal(1)
      const [left, ...others] = JSON.parse(still.stdout)
      expect(others).to.deep.equal([])
      expect(left).to.include({
        stream: 'user-2',
        revision: '1',
        event: 'revision 1, FromTheFuture version 1',
      })
      expect(left.error).to.match(/a type that this version of Roster knows/)
    }))

  it('says so where only a Roster of another version can try again, and none runs', () =>
    withLog(async (run, dataDir) => {
      await run('replay', 'profiles')
      const parked = { follower: 'profiles.7', stream: 'user-1', revision: 0n, key: '1', error: 'was wrong' }
      const readStore = await openSqliteReadStore(join(dataDir, 'read.db'))
      const [generation] = await readStore.generations('profiles')
      const pointer = await readStore.pointer('profiles')
      if (!generation || !pointer) throw new Error('expected a generation and a pointer, found none')
      await readStore.createGeneration({ ...generation, number: 7, version: profiles.version - 1 })
      const move = { epoch: pointer.epoch + 1, live: 7, lastNumber: 7, previous: null, pinned: true }
      await readStore.movePointer({ ...pointer, ...move })
      await readStore.close()
      await park(dataDir, { ...parked, since: '2026-01-01T12:00:00.000Z', retry: false })
      const retried = await run('parked', '--retry')
      expect(retried.code).to.equal(1)
      expect(retried.stderr).to.include(
        `profiles.7 has version ${profiles.version - 1}: a Roster of that version has to try`,
      )
    }))

  it('spells out what a terminal would obey', () =>
    withLog(async (run, dataDir) => {
      await run('replay', 'profiles')
      const parked = { follower: 'profiles.1', revision: 0n, key: '1', since: '2026-01-01T12:00:00.000Z' }
      await park(dataDir, {
        ...parked,
        stream: 'user-\u001b[2J',
        error: 'found \u001b[31m\nthere',
        retry: false,
      })
      const [line = '', ...rest] = (await run('parked')).stdout.split('\n')
      expect(rest).to.deep.equal([''])
      expect(line).to.include('"user-\\u001b[2J" in profiles.1').and.to.include('"found \\u001b[31m\\nthere"')
    }))

  it('leaves alone what is parked in a read model that nobody feeds any more', () =>
    withLog(async (run, dataDir) => {
      await run('replay', 'profiles')
      const parked = { follower: 'profiles.1', stream: 'user-1', revision: 0n, key: '1', error: 'was wrong' }
      await park(dataDir, { ...parked, since: '2026-01-01T12:00:00.000Z', retry: false })
      const readStore = await openSqliteReadStore(join(dataDir, 'read.db'))
      const pointer = await readStore.pointer('profiles')
      if (!pointer) throw new Error('expected a pointer, found none')
      const previous = { number: 1, fed: false }
      await readStore.movePointer({ ...pointer, epoch: pointer.epoch + 1, live: null, previous })
      await readStore.close()
      const retried = await run('parked', '--retry')
      expect(retried.code).to.equal(1)
      expect(retried.stdout).to.include('user-1 in profiles.1')
    }))
})
