import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { createHttpClient } from '../support/http-client.ts'
import { doneErasing, livePlanted, planted } from '../support/planted-user.ts'
import { startProgram } from '../support/program.ts'
import { register, withLogIn } from '../support/sample-log.ts'
import { startServer } from '../support/server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

/** The files in a folder, and in those in it, that have the planted text in them or in their names. */
async function filesThatTell(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const found: string[] = []
  for (const file of names.filter(each => each.isFile())) {
    const content = await readFile(join(file.parentPath, file.name))
    if (file.name.includes(planted) || content.toString('latin1').toLowerCase().includes(planted)) {
      found.push(file.parentPath.endsWith('outbox') ? 'a mail' : file.name)
    }
  }
  return [...new Set(found)].toSorted()
}

describe('An erased user', () => {
  it('is in no file any more, with readers and a second process at work', () =>
    withTemporaryFolder(async folder => {
      const dataDir = join(folder, 'data')
      await withLogIn(dataDir, store => register(store, 300))
      const server = await startServer({ DATA_DIR: dataDir })
      const program = await startProgram({ DATA_DIR: dataDir, JWT_SECRET: server.jwtSecret, ROLES: 'api' })
      const other = createHttpClient(program.urls.get('api') ?? 'expected an api')
      try {
        const { client } = server
        const user = await livePlanted(client, other)
        await eventually(async () => {
          for (const email of user.emails) expect(await server.mails(email)).to.have.lengthOf(1)
        })
        await withLogIn(dataDir, store => register(store, 100, 300))
        const before = await filesThatTell(dataDir)
        expect(before).to.include('a mail')
        expect(before).to.include.oneOf(['events.db', 'events.db-wal'])
        expect(before).to.include.oneOf(['read.db', 'read.db-wal'])

        const readers = ['events.db', 'read.db'].map(file => new Database(join(dataDir, file)))
        for (const reader of readers) reader.exec('BEGIN; SELECT count(*) FROM sqlite_schema')
        await user.erase(other)
        await withLogIn(dataDir, async store => {
          await eventually(async () => {
            const events: string[] = []
            for await (const batch of store.readTexts()) events.push(...batch.events.map(({ data }) => data))
            expect(events.join('\n')).not.to.include(planted)
          })
        })
        // Who began to read before goes on seeing what was there, and so the files have it.
        const saidDone = async () => (await server.logged()).map(({ msg }) => msg).includes(doneErasing)
        expect(await saidDone()).to.equal(false)
        expect(await filesThatTell(dataDir)).not.to.deep.equal([])
        for (const reader of readers) reader.close()
        await eventually(async () => expect(await saidDone()).to.equal(true), 20_000)

        const lines = [...(await server.logged()).map(line => JSON.stringify(line)), ...program.log]
        await writeFile(join(dataDir, 'log.ndjson'), lines.join('\n'))
        expect(await filesThatTell(dataDir)).to.deep.equal([])
        expect((await client.get('/api/users/?query=a')).body)
          .to.be.an('array')
          .with.lengthOf(50)
      } finally {
        other.close()
        program.kill('SIGTERM')
        await program.ended
        await server.stop()
      }
      expect(await filesThatTell(dataDir)).to.deep.equal([])
    }))
})
