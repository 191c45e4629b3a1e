import { readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from './support/eventually.ts'
import { createHttpClient, textIn } from './support/http-client.ts'
import { type Program, startProgram } from './support/program.ts'
import { withTemporaryFolder } from './support/temporary-folder.ts'

const password = 'Bosphorus-1453'

async function withPrograms(
  use: (folder: string, start: typeof startProgram) => Promise<void>,
): Promise<void> {
  await withTemporaryFolder(async folder => {
    const programs: Program[] = []
    try {
      await use(folder, async (...args) => {
        const program = await startProgram(...args)
        programs.push(program)
        return program
      })
    } finally {
      for (const program of programs) program.kill('SIGKILL')
      await Promise.all(programs.map(({ ended }) => ended))
    }
  })
}

const clientOf = (program: Program) => createHttpClient(program.urls.get('api') ?? 'expected an api')

describe('The program', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`answers what it is working on after ${signal}, then exits with 0`, async () => {
      await withPrograms(async (folder, start) => {
        const slowHashes = { ARGON2_MEMORY_KIB: '65536', ARGON2_TIME_COST: '8' }
        const program = await start({ DATA_DIR: join(folder, 'data'), ...slowHashes })
        const client = clientOf(program)
        const running = client.post('/api/user/create/', { username: 'egekaya', password })
        // The health answer comes from the same connection pool, after the registration has arrived.
        await client.get('/healthz')
        program.kill(signal)
        expect((await running).status).to.equal(201)
        client.close()
        expect(await program.ended).to.deep.equal({ code: 0, stderr: '' })
      })
    })
  }

  it('keeps what it acknowledged through a kill, and tokens stay good', async () => {
    await withPrograms(async (folder, start) => {
      const variables = { DATA_DIR: join(folder, 'data') }
      const first = await start(variables)
      const before = clientOf(first)
      await before.post('/api/user/create/', { username: 'egekaya', password })
      const login = await before.post('/api/token/obtain/', { username: 'egekaya', password })
      const authorization = { Authorization: `Bearer ${textIn(login, 'access')}` }
      await before.put('/api/users/egekaya/', { bio: 'Hello' }, authorization)
      first.kill('SIGKILL')
      await first.ended
      before.close()

      const after = clientOf(await start(variables))
      const seen = await after.put('/api/users/egekaya/', { location: 'Istanbul' }, authorization)
      expect(seen.body).to.include({ bio: 'Hello', location: 'Istanbul' })
      const refreshed = await after.post('/api/token/refresh/', { refresh: textIn(login, 'refresh') })
      expect(refreshed.status).to.equal(200)
      after.close()
    })
  })

  it('shares one secret and one log when several start at once for the first time', async () => {
    await withPrograms(async (folder, start) => {
      const variables = { DATA_DIR: join(folder, 'data') }
      const clients = (await Promise.all([start(variables), start(variables), start(variables)])).map(
        clientOf,
      )
      const answers = await Promise.all(
        clients.map((client, index) =>
          client.post('/api/user/create/', { username: `user${index}`, password }),
        ),
      )
      expect(answers.map(({ status }) => status)).to.deep.equal([201, 201, 201])
      for (const [index, client] of clients.entries()) {
        const login = await client.post('/api/token/obtain/', {
          username: `user${(index + 1) % 3}`,
          password,
        })
        const other = clients[(index + 2) % 3]
        const refreshed = await other?.post('/api/token/refresh/', { refresh: textIn(login, 'refresh') })
        expect(refreshed?.status).to.equal(200)
      }
      for (const client of clients) client.close()
    })
  })

  it('shows what was written at once when the roles run apart', async () => {
    await withPrograms(async (folder, start) => {
      const variables = { DATA_DIR: join(folder, 'data') }
      const [api] = await Promise.all([
        start({ ...variables, ROLES: 'api' }),
        start({ ...variables, ROLES: 'projector,mailer' }, ['ops']),
      ])
      const client = clientOf(api)
      await client.post('/api/user/create/', { username: 'warm_up', password })
      for (let user = 0; user < 20; user++) {
        const username = `user${user}`
        const email = `${username}@example.org`
        const registered = await client.post('/api/user/create/', { username, email, password })
        expect(registered.headers).not.to.have.property('roster-visible')
        expect((await client.get(`/api/users/${username}/`)).status).to.equal(200)
      }
      await client.post('/api/password/reset/', { email: 'user3@example.org' })
      const outbox = join(folder, 'data', 'outbox')
      await eventually(async () => {
        const files = await readdir(outbox).catch(() => [])
        expect(files.filter(name => name.endsWith('.eml')).length).to.equal(1)
      })
      client.close()
    })
  })

  describe('says in one line what keeps it from starting, and exits with 1:', () => {
    const refusal = async (variables: Record<string, string>) => {
      const program = await startProgram(variables)
      program.kill('SIGKILL')
      const { code, stderr } = await program.ended
      expect(code).to.equal(1)
      expect(stderr.trimEnd().split('\n').length).to.equal(1)
      return stderr
    }

    it('a port in use', async () => {
      await withTemporaryFolder(async folder => {
        const taken = createServer()
        await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
        const { port } = taken.address() as AddressInfo
        const line = await refusal({ DATA_DIR: join(folder, 'data'), PORT: String(port) })
        expect(line).to.include(`127.0.0.1:${port}`).and.to.include('in use')
        await new Promise(resolve => taken.close(resolve))
      })
    })

    it('a data directory that it cannot use', async () => {
      await withTemporaryFolder(async folder => {
        await writeFile(join(folder, 'data'), 'a file')
        expect(await refusal({ DATA_DIR: join(folder, 'data') })).to.include(join(folder, 'data'))
      })
    })

    it('a log that is none', async () => {
      await withTemporaryFolder(async folder => {
        await writeFile(
          join(folder, 'events.db'),
          'not a database, but long enough to be one by its size. '.repeat(99),
        )
        expect(await refusal({ DATA_DIR: folder })).to.include('events.db')
      })
    })

    it('a variable that is wrong', async () => {
      expect(await refusal({ COMMAND_TIMEOUT_MS: 'soon' })).to.include(
        'COMMAND_TIMEOUT_MS: expected a whole number, found "soon"',
      )
    })
  })
})
