import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from './support/eventually.ts'
import { createHttpClient, textIn } from './support/http-client.ts'
import { type Program, startProgram } from './support/program.ts'
import { startSmtpServer } from './support/smtp-server.ts'
import { withTemporaryFolder } from './support/temporary-folder.ts'

const jwtSecret = 'planted-jwt-secret-of-more-than-32-bytes'
const password = 'planted-Password-1453'
const newPassword = 'planted-Password-1922'

/** All that somebody who must not know a secret may get to see, by where it was. */
type Seen = Map<string, string>

async function whatIsSeen(program: Program, dataDir: string | null): Promise<Seen> {
  const seen: Seen = new Map([['stdout', program.log.join('\n')]])
  const ops = createHttpClient(program.urls.get('ops') ?? 'expected an ops port')
  for (const path of ['/metrics', '/readyz', '/healthz']) seen.set(path, (await ops.get(path)).text)
  ops.close()
  if (process.platform === 'linux') {
    for (const name of ['cmdline', 'comm', 'status']) {
      seen.set(name, await readFile(`/proc/${program.pid}/${name}`, 'latin1'))
    }
  }
  const files = dataDir === null ? [] : (await readdir(dataDir)).filter(name => /\.db(?:-wal)?$/.test(name))
  for (const name of files) {
    seen.set(name, await readFile(join(dataDir ?? '', name), 'latin1'))
  }
  return seen
}

function expectNowhere(secrets: readonly string[], seen: Seen): void {
  for (const [where, text] of seen) {
    for (const secret of secrets) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
        expect(text.includes(form), `${secret} in ${where}`).to.equal(false)
      }
    }
  }
}

/** Runs a program, and gives what it wrote to stderr in the end. */
async function withProgram(
  variables: Record<string, string>,
  use: (program: Program) => Promise<void>,
): Promise<string> {
  const program = await startProgram({ LOG_LEVEL: 'trace', JWT_SECRET: jwtSecret, ...variables })
  try {
    await use(program)
  } finally {
    program.kill('SIGTERM')
  }
  return (await program.ended).stderr
}

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('expected a port')
  return address.port
}

/** A user's whole life, with all that may go wrong in it; gives every secret, and every answer to a wrong request. */
async function live(
  url: string,
  mailedTokens: () => string[],
): Promise<{ secrets: string[]; errors: string[] }> {
  const client = createHttpClient(url)
  const errors: string[] = []
  const wrong = async (path: string, body: object, headers = {}) => {
    const { status, text } = await client.post(path, body, headers)
    expect(status, path).to.be.within(400, 499)
    errors.push(text)
  }
  const user = { username: 'egekaya', email: 'ege@example.org', password }
  expect((await client.post('/api/user/create/', user)).status).to.equal(201)
  await wrong('/api/user/create/', user)
  await wrong('/api/token/obtain/', { username: 'egekaya', password: `${password}-wrong` })
  const login = await client.post('/api/token/obtain/', user)
  const [access, first] = [textIn(login, 'access'), textIn(login, 'refresh')]
  const auth = { Authorization: `Bearer ${access}` }
  const refreshed = await client.post('/api/token/refresh/', { refresh: first })
  const refresh = textIn(refreshed, 'refresh')
  await wrong('/api/token/refresh/', { refresh: `${refresh}x` })
  await wrong('/api/token/refresh/', { refresh: access })
  await wrong('/api/email/confirm/', { token: refresh }, { Authorization: `Bearer ${refresh}x` })
  await wrong('/api/password/change/', { old_password: newPassword, new_password: password }, auth)
  const unreadable = await client.ask('POST', '/api/token/obtain/', {
    raw: `{"password":"${password}"`,
    headers: { 'Content-Type': 'application/json', ...auth },
  })
  errors.push(unreadable.text)
  const inUrl = await client.get(`/api/nothing/?access=${access}`)
  errors.push(inUrl.text)
  await client.post('/api/password/reset/', { email: user.email })
  await eventually(() => expect(mailedTokens()).to.have.lengthOf(1))
  const [token = ''] = mailedTokens()
  await wrong('/api/password/reset/confirm/', { token, password: 'short' })
  await wrong('/api/password/reset/confirm/', { token: `${token}x`, password: newPassword })
  const reset = await client.post('/api/password/reset/confirm/', { token, password: newPassword })
  expect(reset.status).to.equal(200)
  client.close()
  return { secrets: [password, newPassword, access, first, refresh, token], errors }
}

describe('A secret', () => {
  it('of a user, or of the service, is in no log, event, read model, metric, error or process title', () =>
    withTemporaryFolder(async folder => {
      const dataDir = join(folder, 'data')
      const smtp = await startSmtpServer()
      try {
        const mailed = () =>
          smtp.received.flatMap(
            ({ content }) => /^\d+\.[\w-]+\.[\w-]+$/m.exec(content.replaceAll('\r', '')) ?? [],
          )
        const stderr = await withProgram({ DATA_DIR: dataDir, SMTP_URL: smtp.url }, async program => {
          const { secrets, errors } = await live(program.urls.get('api') ?? '', mailed)
          const seen = await whatIsSeen(program, dataDir)
          expect([...seen.keys()]).to.include.members(['events.db', 'read.db', 'events.db-wal'])
          expect(seen.get('events.db-wal')).to.contain('egekaya')
          expectNowhere([jwtSecret, ...secrets], seen.set('errors', errors.join('\n')))
        })
        expect(stderr).to.equal('')
      } finally {
        await smtp.stop()
      }
    }))

  it('in the address of a server that is out of reach is in no log, metric, answer or process title', () =>
    withTemporaryFolder(async folder => {
      const [events, reads, mail] = [await deadPort(), await deadPort(), await deadPort()]
      const secrets = ['planted-events-key', 'planted-reads-key', 'planted-mail-key', jwtSecret]
      const stderr = await withProgram(
        {
          DATA_DIR: folder,
          EVENTSTORE_URL: `esdb://admin:${secrets[0]}@127.0.0.1:${events}?tls=false`,
          MONGODB_URL: `mongodb://admin:${secrets[1]}@127.0.0.1:${reads}/roster?serverSelectionTimeoutMS=500`,
          SMTP_URL: `smtp://admin:${secrets[2]}@127.0.0.1:${mail}`,
        },
        async program => {
          const client = createHttpClient(program.urls.get('api') ?? '')
          const user = { username: 'egekaya', email: 'ege@example.org', password }
          const answers = [
            await client.post('/api/user/create/', user),
            await client.post('/api/token/obtain/', user),
            await client.get('/api/users/egekaya/'),
          ]
          client.close()
          expect(answers.map(({ status }) => status)).to.deep.equal([503, 503, 503])
          await eventually(() => expect(program.log.join('\n')).to.contain('out of reach'))
          const seen = await whatIsSeen(program, null)
          expectNowhere(
            [password, ...secrets],
            seen.set('errors', answers.map(({ text }) => text).join('\n')),
          )
        },
      )
      expectNowhere(secrets, new Map([['stderr', stderr]]))
    }))

  it('of a mail server is in no log, though that refuses it', () =>
    withTemporaryFolder(async folder => {
      const smtp = await startSmtpServer()
      smtp.refuse(() => true)
      const url = smtp.url.replace('//', '//admin:planted-mail-key@')
      const dataDir = join(folder, 'data')
      try {
        await withProgram({ DATA_DIR: dataDir, SMTP_URL: url }, async program => {
          const client = createHttpClient(program.urls.get('api') ?? '')
          await client.post('/api/user/create/', { username: 'egekaya', email: 'ege@example.org', password })
          await client.post('/api/password/reset/', { email: 'ege@example.org' })
          client.close()
          await eventually(() => expect(program.log.join('\n')).to.contain('a mail could not be sent'))
          expectNowhere(['planted-mail-key'], await whatIsSeen(program, dataDir))
        })
      } finally {
        await smtp.stop()
      }
    }))

  for (const [variable, value] of [
    ['JWT_SECRET', 'planted-but-short'],
    ['MONGODB_URL', 'mongodb://admin:planted:key@@/'],
    ['MONGODB_URL', 'http://admin:planted-key@a/'],
    ['EVENTSTORE_URL', 'http://admin:planted-key@a/'],
    ['EVENTSTORE_URL', 'esdb://admin:planted:key@@?x=planted'],
    ['SMTP_URL', 'planted-key'],
    ['JWT_KEYS', '/dev/null'],
  ] as const) {
    it(`is not repeated if it is wrong: ${variable} ${value.replace(/planted\S*/, '…')}`, () =>
      withTemporaryFolder(async folder => {
        const program = await startProgram({ JWT_SECRET: jwtSecret, DATA_DIR: folder, [variable]: value })
        program.kill('SIGKILL')
        const { stderr, code } = await program.ended
        expect(code).to.equal(1)
        expect(stderr).not.to.contain('planted')
      }))
  }
})
