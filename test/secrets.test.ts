import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { eventually } from './support/eventually.ts'
import { createHttpClient, textIn } from './support/http-client.ts'
import { type Program, startProgram } from './support/program.ts'
import { roster, rosterProgram } from './support/run-roster.ts'
import { startSmtpServer } from './support/smtp-server.ts'
import { withTemporaryFolder } from './support/temporary-folder.ts'

const jwtSecret = 'planted-jwt-secret-of-more-than-32-bytes'
const password = 'planted-Password-1453'
const newPassword = 'planted-Password-1922'

/** All that somebody who must not know a secret may get to see, by where it was. */
type Seen = Map<string, string>

/** What `ps` shows of a running process; '' where there is no /proc. */
async function titleOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return ''
  const files = ['cmdline', 'comm', 'status'].map(name => readFile(`/proc/${pid}/${name}`, 'latin1'))
  return (await Promise.all(files)).join('\n')
}

async function whatIsSeen(program: Program, dataDir: string | null): Promise<Seen> {
  const seen: Seen = new Map([['stdout', program.log.join('\n')]])
  const ops = createHttpClient(program.urls.get('ops') ?? 'expected an ops port')
  for (const path of ['/metrics', '/readyz', '/healthz']) seen.set(path, (await ops.get(path)).text)
  ops.close()
  seen.set('title', await titleOf(program.pid))
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

/** Runs `roster <args>`, and gives all that it wrote. */
async function outputOf(args: readonly string[], environment: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await roster(environment, args)
  expect(code, `${args.join(' ')}: ${stderr}`).to.equal(0)
  return stdout + stderr
}

/** All that a tool shows that has begun its work, and goes on with it until it is told to stop. */
async function whatFollowingShows(args: readonly string[], variables: Record<string, string>): Promise<Seen> {
  const tool = spawn(process.execPath, [rosterProgram, ...args], {
    env: { PATH: process.env.PATH, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(tool, 'close')
  let output = ''
  for (const stream of [tool.stdout, tool.stderr]) {
    stream.on('data', chunk => {
      output += String(chunk)
    })
  }
  try {
    await Promise.race([once(tool.stdout, 'data'), ended])
    const title = await titleOf(tool.pid ?? 0)
    tool.kill('SIGTERM')
    await ended
    return new Map([
      ['title of a tool', title],
      ['output of a tool that follows', output],
    ])
  } finally {
    tool.kill('SIGKILL')
  }
}

/** The private part of the first key in a file as `roster keys new` makes them, in the forms that it may be written in. */
async function privateKeyIn(file: string): Promise<string[]> {
  const { keys } = z
    .object({ keys: z.array(z.object({ d: z.string() })) })
    .parse(JSON.parse(await readFile(file, 'utf8')))
  const [{ d } = { d: '' }] = keys
  expect(d).to.have.lengthOf.at.least(43)
  return [
    d,
    ...(['base64', 'hex', 'latin1'] as const).map(form => Buffer.from(d, 'base64url').toString(form)),
  ]
}

/** The password hashes in the text of a log's files, which is the one place for them. */
function hashesIn(text: string): string[] {
  const hashes = new Set(text.match(/\$argon2id\$[\w$=,+/]+/g))
  // One of the registration, one of the reset.
  expect([...hashes]).to.have.lengthOf(2)
  // Without what tells how it was made, which is no secret.
  return [...hashes].map(hash => hash.split('$').at(-1) ?? '')
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

  const again = await client.post('/api/token/obtain/', { ...user, password: newPassword })
  const asking = { Authorization: `Bearer ${textIn(again, 'access')}` }
  const change = { password: newPassword, email: 'kaya@example.org' }
  await wrong('/api/email/change/', { ...change, password }, asking)
  expect((await client.post('/api/email/change/', change, asking)).status).to.equal(200)
  await eventually(() => expect(mailedTokens()).to.have.lengthOf(2))
  const [, confirmation = ''] = mailedTokens()
  await wrong('/api/email/confirm/', { token: `${confirmation}x` })
  await wrong('/api/password/reset/confirm/', { token: confirmation, password })
  expect((await client.post('/api/email/confirm/', { token: confirmation })).status).to.equal(200)
  await wrong('/api/email/confirm/', { token: confirmation })
  const jwks = await client.get('/.well-known/jwks.json')
  expect(jwks.text).to.contain('"kid"')
  errors.push(jwks.text)
  client.close()
  const tokens = [
    access,
    first,
    refresh,
    token,
    textIn(again, 'access'),
    textIn(again, 'refresh'),
    confirmation,
  ]
  return { secrets: [password, newPassword, ...tokens], errors }
}

describe('A secret', () => {
  it('of a user, or of the service, is in no log, event, read model, metric, error or process title, and no tool shows it', () =>
    withTemporaryFolder(async folder => {
      const dataDir = join(folder, 'data')
      const keys = join(folder, 'keys.json')
      await outputOf(['keys', 'new', keys], {})
      const privateKey = await privateKeyIn(keys)
      const smtp = await startSmtpServer()
      try {
        const mailed = () =>
          smtp.received.flatMap(
            ({ content }) => /^\d+\.[\w-]+\.[\w-]+$/m.exec(content.replaceAll('\r', '')) ?? [],
          )
        const variables = { DATA_DIR: dataDir, SMTP_URL: smtp.url, JWT_KEYS: keys }
        const stderr = await withProgram(variables, async program => {
          const { secrets, errors } = await live(program.urls.get('api') ?? '', mailed)
          const seen = await whatIsSeen(program, dataDir)
          expect([...seen.keys()]).to.include.members(['events.db', 'read.db', 'events.db-wal'])
          for (const wal of ['events.db-wal', 'read.db-wal']) expect(seen.get(wal), wal).to.contain('egekaya')
          const hashes = hashesIn(seen.get('events.db-wal') ?? '')
          seen.set('errors', errors.join('\n'))
          const environment = { JWT_SECRET: jwtSecret, ...variables }
          for (const args of [
            ['show', 'egekaya'],
            ['show', 'egekaya', '--json', '--diff', '0'],
            ['audit', 'egekaya', '--json'],
            ['verify'],
            ['parked'],
            ['export', '--out', join(folder, 'log.ndjson')],
            ['user', 'send-reset', 'egekaya'],
            ['keys', 'new'],
          ]) {
            seen.set(args.join(' '), await outputOf(args, environment))
          }
          const following = await whatFollowingShows(['audit', '--all', '--follow'], environment)
          for (const [where, text] of following) seen.set(where, text)
          if (process.platform === 'linux') expect(seen.get('title of a tool')).to.contain('roster.cjs')
          expect(seen.get('output of a tool that follows')).to.contain('PasswordResetRequested')
          expectNowhere([jwtSecret, ...privateKey, ...secrets], seen)
          const elsewhere = new Map([...seen].filter(([where]) => !where.startsWith('events.db')))
          expectNowhere(hashes, elsewhere)
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
      const variables = {
        DATA_DIR: folder,
        EVENTSTORE_URL: `esdb://admin:${secrets[0]}@127.0.0.1:${events}?tls=false`,
        MONGODB_URL: `mongodb://admin:${secrets[1]}@127.0.0.1:${reads}/roster?serverSelectionTimeoutMS=500`,
        SMTP_URL: `smtp://admin:${secrets[2]}@127.0.0.1:${mail}`,
        COMMAND_TIMEOUT_MS: '1000',
      }
      const stderr = await withProgram(variables, async program => {
        const client = createHttpClient(program.urls.get('api') ?? '')
        const user = { username: 'egekaya', email: 'ege@example.org', password }
        const answers = await Promise.all([
          client.post('/api/user/create/', user),
          client.post('/api/token/obtain/', user),
          client.get('/api/users/egekaya/'),
        ])
        client.close()
        expect(answers.map(({ status }) => status)).to.deep.equal([503, 503, 503])
        await eventually(() => expect(program.log.join('\n')).to.contain('out of reach'))
        const seen = await whatIsSeen(program, null)
        expectNowhere([password, ...secrets], seen.set('errors', answers.map(({ text }) => text).join('\n')))
      })
      expectNowhere(secrets, new Map([['stderr', stderr]]))
    }))

  it('in the address of a server that is out of reach is told by no tool', () =>
    withTemporaryFolder(async folder => {
      const [events, reads] = [await deadPort(), await deadPort()]
      const embedded = { DATA_DIR: folder, JWT_SECRET: jwtSecret }
      const eventStore = `esdb://admin:planted-events-key@127.0.0.1:${events}?tls=false`
      const mongodb = `mongodb://admin:planted-reads-key@127.0.0.1:${reads}/roster?serverSelectionTimeoutMS=500`
      await outputOf(['seed', '--users', '1'], embedded)
      const [show, verify] = await Promise.all([
        roster({ ...embedded, EVENTSTORE_URL: eventStore }, ['show', '1']),
        roster({ ...embedded, MONGODB_URL: mongodb }, ['verify']),
      ])
      for (const [{ code, stdout, stderr }, port] of [
        [show, events],
        [verify, reads],
      ] as const) {
        expect(code, stderr).to.equal(3)
        expect(stderr).to.match(/^roster: /m)
        const seen = new Map([[`output of what asked port ${port}`, stdout + stderr]])
        expectNowhere(['planted-events-key', 'planted-reads-key', jwtSecret], seen)
      }
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
        const tool = await roster({ JWT_SECRET: jwtSecret, DATA_DIR: folder, [variable]: value }, [
          'show',
          '1',
        ])
        expect(tool.code).not.to.equal(0)
        expect(tool.stdout + tool.stderr).not.to.contain('planted')
      }))
  }

  for (const [what, content] of [
    ['no JSON', 'planted-key'],
    ['no set of keys', '{"d":"planted-key"}'],
    ['another form of a key', '-----BEGIN PRIVATE KEY-----\nplanted-key\n-----END PRIVATE KEY-----'],
    ['no whole key', '{"keys":[{"kty":"EC","crv":"P-256","d":"planted-key"}]}'],
    [
      'no key',
      '{"keys":[{"kty":"EC","crv":"P-256","kid":"a","alg":"ES256","x":"planted","y":"planted","d":"planted-key"}]}',
    ],
    ['a symmetric key', '{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"planted-key"}]}'],
  ] as const) {
    it(`in the file of JWT_KEYS is not repeated if that has ${what}`, () =>
      withTemporaryFolder(async folder => {
        const keys = join(folder, 'keys.json')
        await writeFile(keys, content)
        const variables = { JWT_SECRET: jwtSecret, DATA_DIR: join(folder, 'data'), JWT_KEYS: keys }
        const program = await startProgram(variables)
        program.kill('SIGKILL')
        const { stderr, code } = await program.ended
        expect(code).to.equal(1)
        const tool = await roster(variables, ['keys', 'new'])
        expect(tool.code).not.to.equal(0)
        expect([stderr, tool.stdout, tool.stderr].join('\n')).to.contain(keys).and.not.to.contain('planted')
      }))
  }
})
