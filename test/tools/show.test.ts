import { join } from 'node:path'
import { expect } from 'chai'
import { editProfile } from '../../src/account/account.ts'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { createHandler } from '../../src/account/handle.ts'
import type { WholeEventStore } from '../../src/event-store/log-transfer.ts'
import { roster } from '../support/run-roster.ts'
import { erase, register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

/** A registered user, who edits the bio on each of the first days of 2050. */
async function withEdits(
  bios: string[],
  use: (show: Show, username: string) => Promise<void>,
): Promise<void> {
  await withTemporaryFolder(async folder => {
    const dataDir = join(folder, 'data')
    const username = await withLogIn(dataDir, store => edited(store, bios))
    await use((...args) => roster({ DATA_DIR: dataDir }, ['show', ...args]), username)
  })
}
type Show = (...args: string[]) => ReturnType<typeof roster>

async function edited(store: WholeEventStore, bios: string[]): Promise<string> {
  const [user] = await register(store, 1)
  for (const [day, bio] of bios.entries()) {
    const handler = createHandler({ store, now: () => Date.UTC(2050, 0, day + 1) })
    const deadline = Number.POSITIVE_INFINITY
    const intent = { key: `edit ${day}`, actor: 1, requestId: 'test', deadline }
    await handler.handle(accounts, accountStream(1), intent, account => editProfile(account, { bio }))
  }
  return user?.username ?? ''
}

const bioAt = async (show: Show, ...args: string[]) => {
  const { code, stdout, stderr } = await show('--json', ...args)
  expect(code, stderr).to.equal(0)
  return JSON.parse(stdout).bio
}

describe('roster show', () => {
  it('shows an account as it is, by name or id, without its password', () =>
    withEdits(['one', 'two'], async (show, username) => {
      const byName = await show('--json', username.toUpperCase())
      expect(byName.stdout).to.equal((await show('--json', '1')).stdout)
      expect(JSON.parse(byName.stdout)).to.include({
        id: 1,
        username,
        bio: 'two',
        privacy: false,
        revision: 2,
      })
      expect(byName.stdout).to.not.include('argon2')
      expect((await show(username)).stdout).to.match(/^bio +two$/m)
    }))

  it('shows it as it was at a time or a revision', () =>
    withEdits(['one', 'two', 'three'], async (show, username) => {
      expect(await bioAt(show, username, '--at', '1')).to.equal('one')
      expect(await bioAt(show, username, '--at', '99')).to.equal('three')
      expect(await bioAt(show, username, '--at', '2050-01-02T00:00:00Z')).to.equal('two')
      expect(await bioAt(show, username, '--at', '2050-01-03T00:59:59+01:00')).to.equal('two')
      expect(await bioAt(show, username, '--at', '2050-01-03')).to.equal('three')
    }))

  it('shows what is different between two moments', () =>
    withEdits(['one', 'two'], async (show, username) => {
      const difference = await show('--json', username, '--diff', '1', '2')
      expect(JSON.parse(difference.stdout)).to.deep.equal([{ field: 'bio', from: 'one', to: 'two' }])
      expect((await show(username, '--diff', '2050-01-01')).stdout).to.equal('bio: "one" → "two"\n')
      expect((await show(username, '--diff', '2')).stdout).to.equal('nothing is different\n')
      const sinceEver = await show('--json', username, '--diff', '1999-01-01')
      expect(JSON.parse(sinceEver.stdout)).to.deep.include({ field: 'username', from: null, to: username })
    }))

  it('finds nothing different between two moments before the registration', () =>
    withEdits([], async (show, username) => {
      const before = await show(username, '--diff', '1999-01-01', '1999-02-01')
      expect(before).to.deep.equal({ code: 0, stdout: 'nothing is different\n', stderr: '' })
    }))

  it('tells nothing more of who is erased', () =>
    withTemporaryFolder(async folder => {
      const dataDir = join(folder, 'data')
      await withLogIn(dataDir, async store => {
        const [user] = await register(store, 1)
        if (user) await erase(store, user)
      })
      for (const options of [[], ['--diff', '0']]) {
        const run = await roster({ DATA_DIR: dataDir }, ['show', '1', ...options])
        expect(run).to.include({ code: 1, stdout: '' })
        expect(run.stderr).to.include('it was erased at')
      }
    }))

  it('spells out what a terminal would obey', () =>
    withEdits(['two\nlines \u001b[2J'], async (show, username) => {
      expect((await show(username)).stdout).to.match(/^bio +"two\\nlines \\u001b\[2J"$/m)
    }))

  it('spells out what a terminal would obey although JSON does not', () =>
    withEdits(['a \u009b2J b', 'c \u202e d'], async (show, username) => {
      for (const args of [['--at', '1'], ['--at', '2'], ['--diff', '1'], ['--json']]) {
        const { stdout } = await show(username, ...args)
        expect(stdout, args.join(' ')).to.not.match(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
      }
      expect((await show(username, '--diff', '1')).stdout).to.equal('bio: "a \\u009b2J b" → "c \\u202e d"\n')
      expect(await bioAt(show, username)).to.equal('c \u202e d')
    }))

  it('says when there was no such user, and what it does not understand', () =>
    withEdits([], async (show, username) => {
      expect((await show('nobody')).code).to.equal(1)
      expect((await show('2')).code).to.equal(1)
      expect((await show(username, '--at', '1999-12-31')).code).to.equal(1)
      expect((await show(username, '--at', 'yesterday')).code).to.equal(2)
      expect((await show(username, '1', '2')).code).to.equal(2)
      expect((await show()).code).to.equal(2)
    }))
})
