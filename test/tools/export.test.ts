import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import canonicalize from 'canonicalize'
import { expect } from 'chai'
import fc from 'fast-check'
import { noStream } from '../../src/event-store/event-store.ts'
import { readIdentity } from '../../src/event-store/log-identity.ts'
import { idsOf, readWhole, someEvents } from '../support/log-events.ts'
import { roster, rosterProgram } from '../support/run-roster.ts'
import { erase, register, startSession, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

/** A folder with a log of four users in `data`, and keys. */
function withLog(use: (at: (name: string) => string, users: string[]) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const at = (name: string) => join(folder, name)
    const users = await withLogIn(at('data'), async store => {
      const registered = await register(store, 4)
      for (const user of registered) await startSession(store, user, 2)
      return registered.map(({ username }) => username)
    })
    await use(at, users)
  })
}

const DATA_DIR = (folder: string) => ({ DATA_DIR: folder })

async function exportTo(at: (name: string) => string, file: string, ...options: string[]): Promise<string> {
  const run = await roster(DATA_DIR(at('data')), ['export', '--out', at(file), ...options])
  expect(run, run.stderr).to.include({ code: 0 })
  return readFile(at(file), 'utf8')
}

/** What the lines of events say. */
const eventsIn = (text: string): { content: { id: string }; salt: string }[] =>
  text
    .trimEnd()
    .split('\n')
    .slice(1, -1)
    .map(line => JSON.parse(line))

async function verdict(file: string, ...options: string[]) {
  const { code, stdout } = await roster({}, ['verify-export', '--json', file, ...options])
  const found: { problems: { line: number; found: string }[]; events: number; redacted: number } =
    JSON.parse(stdout)
  return { code, ...found }
}

describe('roster export', () => {
  it('writes every event of the log once, in order, each line in canonical JSON', () =>
    withLog(async at => {
      const lines = (await exportTo(at, 'log.ndjson')).split('\n')
      expect(lines.pop()).to.equal('')
      for (const line of lines) expect(line).to.equal(canonicalize(JSON.parse(line)))
      const ids = lines.slice(1, -1).map(line => JSON.parse(line).content.id)
      expect(ids).to.deep.equal(idsOf(await withLogIn(at('data'), store => readWhole(store))))
    }))

  it('writes the same bytes again, on stdout too, for its owner alone', () =>
    withLog(async at => {
      const text = await exportTo(at, 'log.ndjson')
      expect((await roster(DATA_DIR(at('data')), ['export'])).stdout).to.equal(text)
      expect((await stat(at('log.ndjson'))).mode & 0o077).to.equal(0)
    }))

  it('seals a long log in a thread of its own, with the salts that a short one has', () =>
    withLog(async at => {
      const [last, ids] = await withLogIn(at('data'), async store => {
        for (let end = noStream; end < 4999n; end += 500n) await store.append('user-9', someEvents(500), end)
        return [await register(store, 1, 4), idsOf(await readWhole(store))]
      })
      await promisify(execFile)(process.execPath, [rosterProgram, 'export', '--out', at('log.ndjson')], {
        env: { ...process.env, ...DATA_DIR(at('data')) },
      })
      expect(await verdict(at('log.ndjson'))).to.include({ code: 0, events: ids.length })
      const exported = eventsIn(await readFile(at('log.ndjson'), 'utf8'))
      expect(exported.map(({ content }) => content.id)).to.deep.equal(ids)
      const ofUser = eventsIn(await exportTo(at, 'user.ndjson', '--user', last[0]?.username ?? ''))
      const salts = new Map(exported.map(({ content, salt }) => [content.id, salt]))
      for (const { content, salt } of ofUser) expect(salts.get(content.id)).to.equal(salt)
    }))

  it('leaves out what was erased, although it is still in the log', () =>
    withLog(async (at, users) => {
      const [username = ''] = users
      await withLogIn(at('data'), store => erase(store, { userId: 1, username, email: '' }))
      const text = await exportTo(at, 'log.ndjson')
      expect(text).to.not.include(`"${username}"`)
      expect(text).to.include('"type":"UserErased"')
      expect((await verdict(at('log.ndjson'))).code).to.equal(0)
    }))

  it("writes one user's events without the key for names", () =>
    withLog(async (at, users) => {
      const text = await exportTo(at, 'user.ndjson', '--user', users[2] ?? '')
      expect(text).to.equal(await exportTo(at, 'same.ndjson', '--user', '3'))
      const identity = await withLogIn(at('data'), readIdentity)
      expect(text).to.not.include(identity?.namesKey.toString('base64url'))
      for (const [index, username] of users.entries()) {
        expect(text.includes(`"username":"${username}"`), username).to.equal(index === 2)
      }
      const types = text
        .split('\n')
        .slice(1, -2)
        .map(line => JSON.parse(line).content.type)
      expect(types).to.have.members([
        'NameClaimed',
        'NameClaimed',
        'UserRegistered',
        'SessionStarted',
        'SessionRefreshed',
        'SessionRefreshed',
      ])
      expect((await verdict(at('user.ndjson'))).code).to.equal(0)
    }))

  it('says what is wrong: nobody of that name, no log, an empty one, a bad key', () =>
    withLog(async at => {
      const environment = DATA_DIR(at('data'))
      expect(await roster(environment, ['export', '--user', 'nobody'])).to.deep.include({
        code: 1,
        stderr: 'roster: expected a user nobody, found none\n',
      })
      expect((await roster(DATA_DIR(at('none')), ['export'])).code).to.equal(3)
      await withLogIn(at('empty'), async () => {})
      expect((await roster(DATA_DIR(at('empty')), ['export'])).code).to.equal(1)
      await writeFile(at('bad.pem'), 'no key')
      expect((await roster(environment, ['export', '--key', at('bad.pem')])).code).to.equal(2)
      for (const file of ['no/such/folder', 'data']) {
        const refused = await roster(environment, ['export', '--out', at(file)])
        expect(refused).to.include({ code: 2, stdout: '' })
        expect(refused.stderr).to.match(/^roster: expected to write .+\n$/)
      }
      expect(await stat(at('data.partial')).catch(() => null)).to.equal(null)
      expect((await roster(environment, ['export', '42'])).code).to.equal(2)
    }))

  it('leaves nothing behind when it is stopped, and says how to go on', () =>
    withLog(async at => {
      const args = ['export', '--out', at('log.ndjson')]
      const run = await roster(DATA_DIR(at('data')), args, AbortSignal.abort())
      expect(run.code).to.equal(130)
      expect(run.stderr).to.include('the same command')
      expect(await stat(at('log.ndjson')).catch(() => null)).to.equal(null)
      expect(await stat(at('log.ndjson.partial')).catch(() => null)).to.equal(null)
    }))
})

describe('roster verify-export', () => {
  it('finds and names the line of any byte that was changed', () =>
    withLog(async at => {
      await roster({}, ['keys', 'new', at('key.pem')])
      await exportTo(at, 'log.ndjson', '--key', at('key.pem'))
      const good = await readFile(at('log.ndjson'))
      await fc.assert(
        fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (index, by) => {
          const bytes = Buffer.from(good)
          bytes[index] = ((good[index] ?? 0) + by) % 256
          await writeFile(at('changed.ndjson'), bytes)
          const { code, problems } = await verdict(at('changed.ndjson'))
          const line = good.subarray(0, index).toString('latin1').split('\n').length
          expect({ code, line: problems[0]?.line }).to.deep.equal({ code: 1, line })
        }),
        { numRuns: 100 },
      )
    }))

  const spoil: [what: string, change: (lines: string[]) => void, line: number, found: RegExp][] = [
    ['a missing line', lines => void lines.splice(4, 1), 5, /lines 5 to 5 are missing/],
    ['a missing header', lines => void lines.shift(), 1, /header is missing/],
    ['a missing footer', lines => void lines.splice(-2, 1), 28, /expected the footer, found the end/],
    [
      'a missing last event',
      lines => void lines.splice(-3, 1),
      27,
      /expected a footer of 25 events, found one of 26/,
    ],
    ['a repeated line', lines => void lines.splice(4, 0, lines[4] ?? ''), 6, /expected line 6, found 5/],
    ['an added line', lines => void lines.splice(4, 0, '{"at":{}}'), 5, /expected the line of an event/],
    [
      'lines that changed places',
      lines => void lines.splice(4, 2, lines[5] ?? '', lines[4] ?? ''),
      5,
      /found 6/,
    ],
    ['something after the footer', lines => void lines.splice(-1, 0, lines[3] ?? ''), 29, /end of the file/],
    ['a last line without its end', lines => void lines.pop(), 28, /newline/],
  ]
  for (const [what, change, line, found] of spoil) {
    it(`names ${what}`, () =>
      withLog(async at => {
        const lines = (await exportTo(at, 'log.ndjson')).split('\n')
        change(lines)
        await writeFile(at('spoilt.ndjson'), lines.join('\n'))
        const { code, problems } = await verdict(at('spoilt.ndjson'))
        expect(code).to.equal(1)
        expect(problems[0]?.line).to.equal(line)
        expect(problems[0]?.found).to.match(found)
      }))
  }

  it('tells by the key who signed, and refuses others and none when a key is given', () =>
    withLog(async at => {
      await roster({}, ['keys', 'new', at('key.pem')])
      await roster({}, ['keys', 'new', at('other.pem')])
      await exportTo(at, 'signed.ndjson', '--key', at('key.pem'))
      await exportTo(at, 'unsigned.ndjson')
      const codes = []
      for (const file of ['signed.ndjson', 'unsigned.ndjson']) {
        for (const key of [[], ['--key', at('key.pub.pem')], ['--key', at('other.pub.pem')]]) {
          codes.push((await verdict(at(file), ...key)).code)
        }
      }
      expect(codes).to.deep.equal([0, 0, 1, 0, 1, 1])
    }))

  it('refuses a file that is no export or is not there', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'log.ndjson')
      expect((await roster({}, ['verify-export', file])).code).to.equal(2)
      for (const content of ['', '\n', 'hello\n', '{"chain":1}\n', `${'x'.repeat(9_000_000)}\n`]) {
        await writeFile(file, content)
        expect((await verdict(file)).code, content.slice(0, 20)).to.equal(1)
      }
    }))
})

describe('roster export --redact', () => {
  it('takes out what tells of a user, and chain and signature hold', () =>
    withLog(async (at, users) => {
      await roster({}, ['keys', 'new', at('key.pem')])
      const before = await exportTo(at, 'log.ndjson', '--key', at('key.pem'))
      const redaction = ['export', '--redact', at('log.ndjson'), '2', '--out', at('copy.ndjson')]
      expect((await roster({}, redaction)).code).to.equal(0)
      const text = await readFile(at('copy.ndjson'), 'utf8')
      expect(text).to.not.include(`"${users[1]}"`)
      for (const index of [0, 2, 3]) expect(text).to.include(`"${users[index]}"`)
      expect(await verdict(at('copy.ndjson'), '--key', at('key.pub.pem'))).to.include({
        code: 0,
        events: 22,
        redacted: 4,
      })
      const redactedLines = text.split('\n').filter(line => line.includes('"digest"'))
      for (const line of redactedLines) {
        expect(Object.keys(JSON.parse(line))).to.deep.equal(['at', 'chain', 'digest'])
        expect(line).to.equal(canonicalize(JSON.parse(line)))
      }
      const kept = text.split('\n').filter(line => !line.includes('"digest"'))
      expect(before.split('\n')).to.include.members(kept)
    }))

  it('may be done for one user after the other, and catches a change of what is left', () =>
    withLog(async at => {
      await exportTo(at, 'log.ndjson')
      for (const [from, id, to] of [
        ['log', '1', 'one'],
        ['one', '4', 'both'],
      ]) {
        const redaction = ['export', '--redact', at(`${from}.ndjson`), `${id}`, '--out', at(`${to}.ndjson`)]
        expect((await roster({}, redaction)).code).to.equal(0)
      }
      expect(await verdict(at('both.ndjson'))).to.include({ code: 0, redacted: 8 })
      const text = await readFile(at('both.ndjson'), 'utf8')
      const ofAnotherDigest = text.replace(
        /("digest":")(.)/,
        (_, name, first) => `${name}${first === 'A' ? 'B' : 'A'}`,
      )
      for (const changed of [text.replace('"revision":"1"', '"revision":"2"'), ofAnotherDigest]) {
        expect(changed).to.not.equal(text)
        await writeFile(at('changed.ndjson'), changed)
        expect((await verdict(at('changed.ndjson'))).code).to.equal(1)
      }
    }))

  it('refuses a broken chain, and a user that is no id', () =>
    withLog(async at => {
      const text = await exportTo(at, 'log.ndjson')
      await writeFile(at('broken.ndjson'), text.replace('"revision":"0"', '"revision":"1"'))
      const redact = (file: string, id: string) =>
        roster({}, ['export', '--redact', at(file), id, '--out', at('copy.ndjson')])
      expect((await redact('broken.ndjson', '1')).code).to.equal(1)
      expect((await redact('log.ndjson', 'somebody')).code).to.equal(2)
      expect(await stat(at('copy.ndjson')).catch(() => null)).to.equal(null)
    }))
})
