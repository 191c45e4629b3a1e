import { exec } from 'node:child_process'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { generatedSecret } from '../../src/secret.ts'
import { roster } from '../support/run-roster.ts'
import { register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const exportOf = async (dataDir: string) => (await roster({ DATA_DIR: dataDir }, ['export'])).stdout

describe('roster backup', () => {
  it('copies log, read models and secret while they are in use, for the owner alone', () =>
    withTemporaryFolder(async folder => {
      const [data, copy] = [join(folder, 'data'), join(folder, 'copy')]
      const secret = await generatedSecret(data)
      const readStore = await openSqliteReadStore(join(data, 'read.db'))
      await withLogIn(data, async store => {
        await register(store, 3)
        const before = await exportOf(data)
        const run = await roster({ DATA_DIR: data }, ['backup', '--json', copy])
        expect(run.code, run.stderr).to.equal(0)
        expect(JSON.parse(run.stdout).files).to.have.members(['events.db', 'read.db', 'jwt-secret'])
        await register(store, 1, 3)
        expect(await exportOf(copy)).to.equal(before)
      })
      await readStore.close()
      expect(await generatedSecret(copy)).to.equal(secret)
      for (const file of ['events.db', 'jwt-secret']) {
        expect((await stat(join(copy, file))).mode & 0o077, file).to.equal(0)
      }
    }))

  it('is of one moment, however much is written meanwhile, and can be gone on with', () =>
    withTemporaryFolder(async folder => {
      const [data, copy] = [join(folder, 'data'), join(folder, 'copy')]
      await withLogIn(data, async store => {
        await register(store, 60)
        let isDone = false
        const writing = (async () => {
          for (let at = 60; !isDone; at += 5) await register(store, 5, at)
        })()
        const run = await roster({ DATA_DIR: data }, ['backup', copy])
        isDone = true
        await writing
        expect(run.code, run.stderr).to.equal(0)
      })
      const whole = (await exportOf(data)).split('\n')
      const lines = (await exportOf(copy)).split('\n')
      expect(whole.slice(0, lines.length - 2)).to.deep.equal(lines.slice(0, -2))
      await withLogIn(copy, store => register(store, 1, 100_000))
    }))

  it('brings back what was backed up, as its help says', () =>
    withTemporaryFolder(async folder => {
      const data = join(folder, 'data')
      await withLogIn(data, store => register(store, 2))
      const before = await exportOf(data)
      await roster({ DATA_DIR: data }, ['backup', join(folder, 'backup-monday')])
      await withLogIn(data, store => register(store, 2, 2))
      const { stdout } = await roster({}, ['backup', '--help'])
      const [restore = ''] = /mv .+(?= && npm start)/.exec(stdout) ?? []
      await promisify(exec)(restore, { cwd: folder })
      expect(await exportOf(data)).to.equal(before)
      expect(await readdir(folder)).to.have.members(['data', 'data.old', 'backup-monday'])
      expect(await readFile('README.md', 'utf8')).to.include(restore)
    }))

  it('says that a secret and keys from the environment are not in it', () =>
    withTemporaryFolder(async folder => {
      const [data, copy] = [join(folder, 'data'), join(folder, 'copy')]
      await withLogIn(data, store => register(store, 1))
      const outside = { JWT_SECRET: 's'.repeat(32), JWT_KEYS: '/etc/roster/keys.json' }
      const run = await roster({ DATA_DIR: data, ...outside }, ['backup', copy])
      expect(run.stdout).to.include(
        'keep yourself what is not among them: JWT_SECRET, the keys in /etc/roster',
      )
      expect(await readdir(copy)).to.deep.equal(['events.db'])
    }))

  it('refuses a folder in use, servers, and a data directory without a log, and leaves nothing', () =>
    withTemporaryFolder(async folder => {
      const [data, copy] = [join(folder, 'data'), join(folder, 'copy')]
      await withLogIn(data, store => register(store, 1))
      await mkdir(copy)
      await writeFile(join(copy, 'mine'), '')
      expect((await roster({ DATA_DIR: data }, ['backup', copy])).code).to.equal(2)
      expect(await readdir(copy)).to.deep.equal(['mine'])
      const servers = { EVENTSTORE_URL: 'esdb://127.0.0.1:1?tls=false', JWT_SECRET: 's'.repeat(32) }
      expect((await roster(servers, ['backup', join(folder, 'other')])).code).to.equal(2)
      expect((await roster({ DATA_DIR: folder }, ['backup', join(folder, 'other')])).code).to.equal(3)
      expect(await readdir(folder)).to.have.members(['data', 'copy'])
    }))

  it('refuses a damaged log', () =>
    withTemporaryFolder(async folder => {
      const data = join(folder, 'data')
      await withLogIn(data, store => register(store, 50))
      const bytes = await readFile(join(data, 'events.db'))
      await writeFile(join(data, 'events.db'), bytes.fill(0xff, 8192, 12_288))
      const run = await roster({ DATA_DIR: data }, ['backup', join(folder, 'copy')])
      expect(run.code).to.equal(3)
      expect(run.stderr).to.match(/damage/)
    }))
})
