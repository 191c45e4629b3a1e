import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Account, disableAccount, editProfile } from '../../src/account/account.ts'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import type { AccountEvent } from '../../src/account/events.ts'
import { createHandler } from '../../src/account/handle.ts'
import { roster } from '../support/run-roster.ts'
import { withLogIn } from '../support/sample-log.ts'
import { startServer } from '../support/server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

type Outcome = { line: number; username: string | null; result: string; id?: number; problems?: string[] }
type Import = (content: string, ...options: string[]) => Promise<Run>
type Run = { code: number; outcomes: Outcome[]; stderr: string }

function withImport(use: (importing: Import, dataDir: string) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const [file, dataDir] = [join(folder, 'users'), join(folder, 'data')]
    const importing: Import = async (content, ...options) => {
      await writeFile(file, content)
      const run = await roster({ DATA_DIR: dataDir }, ['import-users', '--json', ...options, file])
      const lines = run.stdout.split('\n').slice(0, -1)
      return { ...run, outcomes: lines.map((line): Outcome => JSON.parse(line)) }
    }
    await use(importing, dataDir)
  })
}

const made: { password: string; hashes: { django: string; algorithm: string; hash: string }[] } = JSON.parse(
  readFileSync(new URL('../fixtures/password-hashes/django.json', import.meta.url), 'utf8'),
)
const hashOf = (algorithm: string) => made.hashes.find(made => made.algorithm === algorithm)?.hash ?? ''
const password_hash = hashOf('argon2')
const ndjson = (...users: object[]) => `${users.map(user => JSON.stringify(user)).join('\n')}\n`

async function eventTypes(dataDir: string, stream: string): Promise<string[]> {
  return withLogIn(dataDir, async store => (await store.readStream(stream)).map(({ type }) => type))
}

describe('roster import-users', () => {
  it('lets users of Django, old and new, log in with their old passwords, and upgrades the hash once', () =>
    withImport(async (importing, dataDir) => {
      const algorithms = ['pbkdf2_sha256', 'bcrypt_sha256', 'argon2', 'unusable']
      const theirs = made.hashes.filter(({ algorithm }) => algorithms.includes(algorithm))
      const users = theirs.map(({ django, algorithm, hash }, index) => ({
        username: `${algorithm} user+${django}@home`,
        email: `user${index}@example.org`,
        password_hash: hash,
      }))
      expect(new Set(theirs.map(({ django }) => django.split('.')[0]))).to.have.property('size', 2)
      const { code, outcomes } = await importing(ndjson(...users))
      expect(code).to.equal(0)
      expect(outcomes.map(({ id }) => id)).to.have.members(users.map((_, index) => index + 1))

      const server = await startServer({ DATA_DIR: dataDir })
      try {
        const login = (username: string, password: string) =>
          server.client.post('/api/token/obtain/', { username, password })
        for (const { username, password_hash } of users) {
          const expected = password_hash.startsWith('!') ? 401 : 200
          const atOnce = [username, username.toUpperCase()].map(name => login(name, made.password))
          for (const { status } of await Promise.all(atOnce)) expect(status, username).to.equal(expected)
          expect((await login(username, made.password)).status).to.equal(expected)
          expect((await login(username, `${made.password}!`)).status).to.equal(401)
        }
        const [{ username } = { username: '' }] = users
        const shown = await server.client.get(`/api/users/${encodeURIComponent(username)}/`)
        expect(shown.body).to.include({ username, privacy: false })
      } finally {
        await server.stop()
      }
      for (const { id = 0, username } of outcomes) {
        const upgraded = username?.startsWith('unusable') ? [] : ['PasswordRehashed']
        expect(await eventTypes(dataDir, `user-${id}`), username ?? '').to.deep.equal([
          'UserRegistered',
          ...upgraded,
        ])
      }
    }))

  it('takes all of a profile, from CSV as well', () =>
    withImport(async (importing, dataDir) => {
      const csv =
        '\ufeffusername,email,password_hash,first_name,last_name,bio,fav_sport_1,avatar,privacy,is_staff\r\n' +
        `ege,ege@example.org,${password_hash},Ege Can,"Kaya, ""K""","two\nlines",football,,t,f\r\n` +
        `no mail,,${password_hash},,,,,,f,f\r\n`
      const { code, outcomes } = await importing(csv.replaceAll(password_hash, `"${password_hash}"`))
      expect(code).to.equal(0)
      expect(outcomes.map(({ line, username }) => [line, username])).to.have.deep.members([
        [2, 'ege'],
        [4, 'no mail'],
      ])
      const ege = outcomes.find(({ username }) => username === 'ege')?.id
      expect(await eventTypes(dataDir, `user-${ege}`)).to.deep.equal(['UserRegistered', 'ProfileEdited'])
      const shown = await roster({ DATA_DIR: dataDir }, ['show', '--json', 'ege'])
      expect(JSON.parse(shown.stdout)).to.include({
        email: 'ege@example.org',
        first_name: 'Ege Can',
        last_name: 'Kaya, "K"',
        bio: 'two\nlines',
        fav_sport_1: 'football',
        fav_sport_2: '',
        privacy: true,
      })
    }))

  it('imports nobody twice, and leaves alone what users did since', () =>
    withImport(async (importing, dataDir) => {
      const users = ndjson(
        { username: 'ege', email: 'ege@example.org', password_hash, privacy: true },
        { username: 'dude', password_hash },
      )
      const first = await importing(users)
      const head = await withLogIn(dataDir, store => store.head())
      const second = await importing(users)
      expect(second.code).to.equal(0)
      expect(second.outcomes.map(({ result }) => result)).to.deep.equal(['there already', 'there already'])
      expect(second.outcomes.map(({ id }) => id)).to.have.members(first.outcomes.map(({ id }) => id))
      expect(await withLogIn(dataDir, store => store.head())).to.equal(head)
    }))

  it('hides a private user whom a stop left in the open, who logged in since, but not one who wants to be seen', () =>
    withImport(async (importing, dataDir) => {
      const [bare, hash] = [{ username: 'ege', password_hash }, '$argon2id$another']
      await importing(
        ndjson(bare, { ...bare, username: 'dude' }, { ...bare, username: 'seen', privacy: true }),
      )
      const privacyOf = async (username: string) =>
        JSON.parse((await roster({ DATA_DIR: dataDir }, ['show', '--json', username])).stdout)
      const ids = Object.fromEntries(
        await Promise.all(['ege', 'dude', 'seen'].map(async name => [name, (await privacyOf(name)).id])),
      )
      await withLogIn(dataDir, async store => {
        const handler = createHandler({ store, now: Date.now })
        const change = (name: string, decide: (account: Account) => AccountEvent[]) => {
          const intent = {
            key: `of ${name}`,
            actor: ids[name],
            requestId: 'test',
            deadline: Number.POSITIVE_INFINITY,
          }
          return handler.handle(accounts, accountStream(ids[name]), intent, decide)
        }
        await change('ege', () => [{ type: 'PasswordRehashed', data: { passwordHash: hash } }])
        await change('dude', account => disableAccount(account))
        await change('seen', account => editProfile(account, { privacy: false }))
      })
      const again = ['ege', 'dude', 'seen'].map(username => ({ username, password_hash, privacy: true }))
      const { outcomes } = await importing(ndjson(...again))
      expect(new Set(outcomes.map(({ result }) => result))).to.deep.equal(new Set(['there already']))
      expect(await privacyOf('ege')).to.include({ privacy: true })
      expect(await privacyOf('seen')).to.include({ privacy: false })
      const types = await eventTypes(dataDir, `user-${ids.ege}`)
      await importing(ndjson(...again))
      expect(await eventTypes(dataDir, `user-${ids.ege}`)).to.deep.equal(types)
    }))

  it('tells the lines that are wrong and why, takes the others, and repeats no hash', () =>
    withImport(async importing => {
      const { code, outcomes, stderr } = await importing(
        [
          ndjson({ username: 'ege', email: 'ege@example.org', password_hash }),
          `{"username": "cut", "password_hash": "${password_hash}`,
          '[]',
          '',
          ndjson(
            { username: 'plain', password_hash: 'my password' },
            { email: 'x@example.org', password_hash },
            { username: 'x'.repeat(151), email: 'no address', password_hash, bio: 7 },
            { username: 'EGE', email: 'other@example.org', password_hash },
            { username: 'somebody', email: 'Ege@example.org', password_hash },
            { username: 'last', password_hash },
          ),
        ].join('\n'),
      )
      expect(code).to.equal(1)
      const byLine = new Map(outcomes.map(({ line, result, problems }) => [line, problems ?? result]))
      expect([...byLine.keys()].sort((a, b) => a - b)).to.deep.equal([1, 3, 4, 6, 7, 8, 9, 10, 11])
      expect(byLine.get(1)).to.equal('imported')
      expect(byLine.get(11)).to.equal('imported')
      expect(String(byLine.get(3))).to.match(/expected JSON/)
      expect(String(byLine.get(4))).to.match(/expected a JSON object/)
      expect(String(byLine.get(6))).to.match(/^password_hash: Expected a password hash/)
      expect(String(byLine.get(7))).to.equal('username: This field is required.')
      expect(byLine.get(8)).to.deep.equal([
        'username: Ensure this field has no more than 150 characters.',
        'email: Enter a valid email address.',
      ])
      expect(String(byLine.get(9))).to.equal('username: Another user has it.')
      expect(String(byLine.get(10))).to.equal('email: Another user has it.')
      expect(JSON.stringify(outcomes) + stderr)
        .to.not.include('argon2$')
        .and.not.include('my password')
    }))

  it('tells the lines of CSV that are wrong', () =>
    withImport(async importing => {
      const csv = `username,password_hash\nege,"${password_hash}"\ntoo,many,fields\n\ndude,"${password_hash}"\n`
      const { code, outcomes } = await importing(csv)
      expect(code).to.equal(1)
      expect(outcomes.map(({ line, result }) => [line, result]).sort()).to.deep.equal([
        [2, 'imported'],
        [3, 'refused'],
        [5, 'imported'],
      ])
    }))

  const csvLine = (name: string) => `${name},"${password_hash}","bio of\r\n${name}, ""x"""\r\n`
  const header = 'username,password_hash,bio\r\n'
  const wrong: [what: string, text: string, lines: number][] = [
    ['a quote that is not closed', `bad,"${password_hash},bio\r\n`, 1],
    ['a quote that is closed within a field', 'bad,"x","bio "x"\r\n', 1],
    ['a quote in a field without quotes', 'bad,x,bio "x"\r\n', 1],
    ['too many fields over several lines', 'bad,"x","bio\r\nevil,!,x\r\n",more\r\n', 3],
  ]
  for (const [what, text, length] of wrong) {
    it(`names the first line of a record of CSV with ${what}, and takes those after it`, () =>
      withImport(async (importing, dataDir) => {
        const { outcomes } = await importing(header + csvLine('a') + text + csvLine('b') + csvLine('c'))
        expect(outcomes.map(({ line, username, result }) => [line, username, result])).to.have.deep.members([
          [2, 'a', 'imported'],
          [4, null, 'refused'],
          [4 + length, 'b', 'imported'],
          [6 + length, 'c', 'imported'],
        ])
        const shown = await roster({ DATA_DIR: dataDir }, ['show', '--json', 'c'])
        expect(JSON.parse(shown.stdout).bio).to.equal('bio of\r\nc, "x"')
      }))
  }

  it('takes the lines after a quote that nothing closes until the end of the file', () =>
    withImport(async importing => {
      const { outcomes } = await importing(`${header}bad,"!,x\nb,!,x\nc,!,y`)
      expect(outcomes.map(({ line, result }) => [line, result])).to.have.deep.members([
        [2, 'refused'],
        [3, 'imported'],
        [4, 'imported'],
      ])
    }))

  it('reads no more where a quote is not closed for so long that what follows may be anything', () =>
    withImport(async importing => {
      const bio = 'evil,!,x\n'.repeat(120_000)
      const { code, outcomes } = await importing(`${header}a,!,x\nb,!,"${bio}"\nc,!,x\n`)
      expect(code).to.equal(1)
      expect(outcomes.map(({ line, result }) => [line, result])).to.have.deep.members([
        [2, 'imported'],
        [3, 'refused'],
      ])
      expect(outcomes.find(({ line }) => line === 3)?.problems?.[0]).to.include('nothing behind was read')
    }))

  it('refuses CSV without a line of names, or without lines', () =>
    withImport(async importing => {
      for (const content of ['a,!,x\nb,!,x\n', 'username,password_hash\ra,!\rb,!\r', '"username\n']) {
        const { code, outcomes } = await importing(content)
        expect(code).to.equal(1)
        expect(outcomes.map(({ line, result }) => [line, result])).to.deep.equal([[1, 'refused']])
        expect(outcomes[0]?.problems?.[0]).to.include('expected a line of names')
      }
    }))

  it('reads JSON that has signs in it by which other texts are broken into lines', () =>
    withImport(async (importing, dataDir) => {
      const bio = 'one\u2028two\u2029three'
      const { code } = await importing(ndjson({ username: 'ege', password_hash, bio }))
      expect(code).to.equal(0)
      const shown = await roster({ DATA_DIR: dataDir }, ['show', '--json', 'ege'])
      expect(JSON.parse(shown.stdout).bio).to.equal(bio)
    }))

  it('reads a pipe, from which nothing can be read twice', () =>
    withTemporaryFolder(async folder => {
      const pipe = join(folder, 'users')
      execFileSync('mkfifo', [pipe])
      const DATA_DIR = join(folder, 'data')
      for (const content of [
        ndjson({ username: 'ege', password_hash }),
        '\nusername,password_hash\nlewis,!\n',
      ]) {
        const running = roster({ DATA_DIR }, ['import-users', pipe])
        await writeFile(pipe, content)
        expect(await running).to.include({ code: 0, stdout: '1 imported, 0 there already, 0 refused\n' })
      }
    }))

  it('says in words how many there were, and stops cleanly', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'users.ndjson')
      await writeFile(file, ndjson({ username: 'ege', password_hash }, { username: '', password_hash }))
      const environment = { DATA_DIR: join(folder, 'data') }
      const stopped = await roster(environment, ['import-users', file], AbortSignal.abort())
      expect(stopped).to.include({ code: 130, stdout: '' })
      expect(stopped.stderr).to.include('0 imported').and.include('the same command goes on')
      const run = await roster(environment, ['import-users', file])
      expect(run).to.include({
        code: 1,
        stdout: 'line 2: username: This field may not be blank.\n1 imported, 0 there already, 1 refused\n',
      })
      expect((await roster(environment, ['import-users', join(folder, 'none')])).code).to.equal(2)
    }))
})
