import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  disableAccount,
  editProfile,
  eraseByOperator,
  recordMailSent,
  requestPasswordReset,
} from '../../src/account/account.ts'
import { accountStream, accounts, sessionStream, sessions } from '../../src/account/aggregates.ts'
import { createHandler } from '../../src/account/handle.ts'
import { eraseSession, refreshSession, revokeSession, startSession } from '../../src/account/sessions.ts'
import type { Actor } from '../../src/event-store/event-store.ts'
import type { WholeEventStore } from '../../src/event-store/log-transfer.ts'
import { toFollowCursor } from '../../src/projector/audit-queries.ts'
import { eventually } from '../support/eventually.ts'
import { roster } from '../support/run-roster.ts'
import { register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

type Row = {
  type: string
  user: number
  actor: unknown
  request: string
  changes: unknown[]
  details: object
}

const deadline = Number.POSITIVE_INFINITY
const client = { device: 'Firefox', addressRange: '192.0.2.0/24' }
const later = '2060-01-01T00:00:00.000Z'

/** What happens to users in a log, one thing a day from the first of 2050 on. */
function life(store: WholeEventStore) {
  let day = 0
  const handler = createHandler({ store, now: () => Date.UTC(2050, 0, ++day), cachedStreams: 1 })
  const intent = (actor: Actor) => ({ key: randomUUID(), actor, requestId: `request-${day + 1}`, deadline })
  return { handler, intent }
}

async function live(store: WholeEventStore): Promise<void> {
  await register(store, 3)
  const { handler, intent } = life(store)
  const of = (userId: number, actor: Actor) => [accounts, accountStream(userId), intent(actor)] as const
  await handler.handle(...of(1, 1), account => editProfile(account, { bio: 'one' }))
  await handler.handle(...of(1, 1), account => editProfile(account, { bio: 'two', location: 'Rize' }))
  const reset = { resetId: 'r', now: later, expiresAt: later }
  await handler.handle(...of(1, 1), account => requestPasswordReset(account, reset))
  await handler.handle(...of(1, 'system'), account =>
    recordMailSent(account, { mailId: 'r', messageId: 'm' }),
  )
  await handler.handle(...of(2, 'operator'), account => disableAccount(account))
}

function withAudit(use: (audit: Audit, dataDir: string) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const dataDir = join(folder, 'data')
    await withLogIn(dataDir, live)
    await use(auditIn(dataDir), dataDir)
  })
}
/** The third user changes the bio so many times. */
async function edit(store: WholeEventStore, times: number, from = Date.UTC(2050, 1)): Promise<void> {
  for (let count = 0; count < times; count++) {
    const handler = createHandler({ store, now: () => from + count, cachedStreams: 1 })
    const intent = { key: randomUUID(), actor: 3, requestId: 'request', deadline }
    await handler.handle(accounts, accountStream(3), intent, account =>
      editProfile(account, { bio: `edit ${count}` }),
    )
  }
}

/** Follows what happened to everyone until so many rows were told, and a moment for more. */
async function followed(dataDir: string, options: readonly string[], count: number) {
  const stop = new AbortController()
  let told = ''
  const args = ['audit', '--all', '--json', '--follow', ...options]
  const following = roster({ DATA_DIR: dataDir }, args, stop.signal, text => {
    told += text
    if (linesOf(told).length >= count) setTimeout(() => stop.abort(), 200)
  })
  const { code, stdout, stderr } = await following
  expect(code, stderr).to.equal(130)
  return { rows: linesOf(stdout), stderr }
}

const auditIn =
  (dataDir: string): Audit =>
  (...args) =>
    roster({ DATA_DIR: dataDir }, ['audit', ...args])

type Audit = (...args: string[]) => ReturnType<typeof roster>

async function rows(audit: Audit, ...args: string[]): Promise<Row[]> {
  const { code, stdout, stderr } = await audit('--json', ...args)
  expect(code, stderr).to.equal(0)
  return linesOf(stdout)
}

const linesOf = (text: string): Row[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
const typesOf = (found: readonly Row[]) => found.map(({ type }) => type)

describe('roster audit', () => {
  it('tells what happened to a user, the newest first, by whom, from which request, and what changed', () =>
    withAudit(async audit => {
      const found = await rows(audit, '1')
      const [sent, asked, second, first, registered, ...more] = found
      expect(more).to.deep.equal([])
      expect(sent).to.deep.include({ type: 'MailSent', user: 1, actor: 'system', changes: [] })
      expect(sent?.details).to.include({ mail: 'password reset' })
      expect(asked).to.deep.include({ type: 'PasswordResetRequested', details: { expires: later } })
      expect(second).to.deep.include({
        ...{ time: '2050-01-02T00:00:00.000Z', type: 'ProfileEdited', user: 1, actor: 1 },
        ...{ request: 'request-2', stream: 'user-1', revision: 2 },
      })
      expect(second?.changes).to.have.deep.members([
        { field: 'bio', from: 'one', to: 'two' },
        { field: 'location', from: 'Riga', to: 'Rize' },
      ])
      expect(first?.request).to.equal('request-1')
      expect(registered?.changes).to.deep.include({ field: 'first_name', from: null, to: 'Karin' })
      const { stdout } = await audit('karin_MULLER')
      expect(stdout).to.include(
        '2050-01-02T00:00:00.000Z  ProfileEdited  user 1, by themselves, request request-2',
      )
      expect(stdout).to.include('    bio: "one" → "two"\n')
      expect(stdout).to.not.match(/argon2|hash/)
    }))

  it('tells of everyone, by actor, types and times together', () =>
    withAudit(async audit => {
      expect(typesOf(await rows(audit, '--all'))).to.have.length(8)
      const disabled = await rows(audit, '--all', '--actor', 'operator')
      expect(disabled).to.have.length(1)
      expect(disabled[0]).to.deep.include({
        ...{ type: 'AccountDisabled', user: 2, actor: 'operator' },
        changes: [{ field: 'disabled', from: false, to: true }],
      })
      const byName = await rows(audit, '--all', '--actor', 'karin_muller', '--type', 'ProfileEdited')
      expect(byName).to.have.length(2)
      const types = ['--type', 'MailSent', '--type', 'AccountDisabled', '--oldest-first']
      expect(typesOf(await rows(audit, '--all', ...types))).to.deep.equal(['MailSent', 'AccountDisabled'])
      const between = ['--since', '2050-01-02', '--until', '2050-01-03T01:00:00+01:00', '--oldest-first']
      expect(typesOf(await rows(audit, '1', ...between))).to.deep.equal([
        'ProfileEdited',
        'PasswordResetRequested',
      ])
      expect(await rows(audit, '1', '--actor', 'operator')).to.deep.equal([])
    }))

  it('goes on from the cursor that the limit gave out', () =>
    withAudit(async audit => {
      const all = await rows(audit, '--all', '--oldest-first')
      const found: Row[] = []
      let cursor: string[] = []
      do {
        const page = await audit('--json', '--all', '--oldest-first', '--limit', '3', ...cursor)
        found.push(...linesOf(page.stdout))
        const [, next] = /there is more: add (--cursor \S+)/.exec(page.stderr) ?? []
        cursor = next?.split(' ') ?? []
      } while (cursor.length > 0)
      expect(found).to.deep.equal(all)
    }))

  it('knows how a session began and ended, although its stream was truncated, until it is forgotten', () =>
    withAudit(async (audit, dataDir) => {
      const id = randomUUID()
      const [stream, login] = [sessionStream(id), { userId: 3, username: 'x', accountRevision: 0 }]
      const times = { now: '2049-12-31T00:00:00.000Z', graceSeconds: 0, refreshTtlSeconds: 60 }
      await withLogIn(dataDir, async store => {
        const { handler, intent } = life(store)
        const begin = { ...login, ...client, startedBy: 'login-1' }
        await handler.handle(sessions, stream, intent(3), () => startSession(begin, times))
        for (let counter = 0; counter < 2; counter++) {
          await handler.handle(sessions, stream, intent(3), session =>
            session.status === 'live' ? refreshSession(session, { counter, ...client }, times).events : [],
          )
        }
      })
      const [started] = await rows(audit, '3')
      expect(started).to.deep.include({
        ...{ type: 'SessionStarted', request: 'login-1', stream, revision: 0 },
        details: { device: 'Firefox', address_range: '192.0.2.0/24' },
      })
      await withLogIn(dataDir, async store => {
        await store.truncate(stream, 2n)
        const { handler, intent } = life(store)
        await handler.handle(sessions, stream, intent(3), session => revokeSession(session, 3, 'logout'))
      })
      const [revoked, stillThere] = await rows(audit, '3')
      expect(revoked).to.deep.include({ type: 'SessionRevoked', revision: 3, details: { reason: 'logout' } })
      expect(stillThere).to.deep.equal({ ...started, details: {} })
      // A read model made anew knows no less.
      expect((await roster({ DATA_DIR: dataDir }, ['replay', 'audit'])).code).to.equal(0)
      expect(await rows(audit, '3')).to.deep.include.members([revoked, stillThere])
      await withLogIn(dataDir, async store => {
        const { handler, intent } = life(store)
        await handler.handle(sessions, stream, intent('system'), session => eraseSession(session, 3))
      })
      expect(typesOf(await rows(audit, '3'))).to.deep.equal(['UserRegistered'])
    }))

  it('keeps of an erased user only that, and agrees with the log before and after a rebuild', () =>
    withAudit(async (audit, dataDir) => {
      await rows(audit, '1')
      await withLogIn(dataDir, async store => {
        const { handler, intent } = life(store)
        await handler.handle(accounts, accountStream(1), intent('operator'), account =>
          eraseByOperator(account, later),
        )
        await store.truncate(accountStream(1), 5n)
      })
      const reserved = { username_reserved_until: '2060-01-31T00:00:00.000Z' }
      const erased = { type: 'UserErased', actor: 'operator', changes: [], details: reserved }
      for (const again of [false, true]) {
        if (again) await roster({ DATA_DIR: dataDir }, ['replay', 'audit'])
        const [row, ...others] = await rows(audit, '1')
        expect(row).to.deep.include(erased)
        expect(others).to.deep.equal([])
        const verified = await roster({ DATA_DIR: dataDir }, ['verify', 'audit'])
        expect(verified.stdout).to.include(' 0 found')
      }
    }))

  it('follows what happens, until it is told to stop', () =>
    withTemporaryFolder(async folder => {
      const dataDir = join(folder, 'data')
      await withLogIn(dataDir, live)
      const stop = new AbortController()
      let told = ''
      const args = ['audit', '--all', '--json', '--follow', '--limit', '2']
      const following = roster({ DATA_DIR: dataDir }, args, stop.signal, text => {
        told += text
      })
      await eventually(async () => expect(typesOf(linesOf(told))).to.have.length(2), 20_000)
      await withLogIn(dataDir, async store => {
        const { handler, intent } = life(store)
        await handler.handle(accounts, accountStream(3), intent(3), account =>
          editProfile(account, { bio: 'x' }),
        )
      })
      await eventually(async () => expect(typesOf(linesOf(told))).to.have.length(3), 20_000)
      stop.abort()
      const { code, stderr } = await following
      expect(code).to.equal(130)
      expect(stderr).to.include('all that happened until now was told')
      expect(typesOf(linesOf(told))).to.deep.equal(['MailSent', 'AccountDisabled', 'ProfileEdited'])
    }))

  it('follows everything from where it is told to begin, and later from where it was', () =>
    withTemporaryFolder(async folder => {
      const dataDir = join(folder, 'data')
      await withLogIn(dataDir, async store => {
        await live(store)
        await edit(store, 12)
      })
      const all = typesOf(await rows(auditIn(dataDir), '--all', '--oldest-first'))
      const [first, ...rest] = all
      expect(all).to.have.length(20)

      const whole = await followed(dataDir, ['--oldest-first'], all.length)
      expect(typesOf(whole.rows)).to.deep.equal(all)
      const page = await auditIn(dataDir)('--all', '--json', '--oldest-first', '--limit', '1')
      expect(typesOf(linesOf(page.stdout))).to.deep.equal([first])
      const cursor = /--cursor \S+/.exec(page.stderr)?.[0].split(' ') ?? []
      expect(typesOf((await followed(dataDir, cursor, rest.length)).rows)).to.deep.equal(rest)

      // Of an earlier time than all before, as from another machine's clock: it is told all the same.
      await withLogIn(dataDir, store => edit(store, 2, Date.UTC(2049, 0)))
      const goOn = /--follow (--cursor \S+)\n/.exec(whole.stderr)?.[1]?.split(' ') ?? []
      const later = await followed(dataDir, goOn, 2)
      expect(later.rows.map(({ changes }) => changes)).to.deep.equal([
        [{ field: 'bio', from: 'edit 11', to: 'edit 0' }],
        [{ field: 'bio', from: 'edit 0', to: 'edit 1' }],
      ])
    }))

  it('spells out what a terminal would obey', () =>
    withAudit(async (audit, dataDir) => {
      await withLogIn(dataDir, async store => {
        const { handler, intent } = life(store)
        const theirs = { ...intent(3), requestId: 'x\u009b2J' }
        await handler.handle(accounts, accountStream(3), theirs, account =>
          editProfile(account, { bio: 'a \u009b2J \u202e' }),
        )
      })
      for (const options of [[], ['--json']]) {
        const { stdout } = await audit('3', ...options)
        expect(stdout).to.include('a \\u009b2J \\u202e"').and.include('x\\u009b2J')
        expect(stdout).to.not.match(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
      }
    }))

  it('gives no cursor behind rows that it has not told', () =>
    withAudit(async (audit, dataDir) => {
      await withLogIn(dataDir, store => edit(store, 12))
      await rows(audit, '--all')
      const args = ['audit', '--all', '--follow']
      const { code, stdout, stderr } = await roster({ DATA_DIR: dataDir }, args, AbortSignal.abort())
      expect({ code, stdout }).to.deep.equal({ code: 130, stdout: '' })
      expect(stderr).to.equal('roster: stopped: nothing was told; the same command begins anew\n')
    }))

  it('refuses what it does not understand, and says when there is no such user, or no log', () =>
    withAudit(async audit => {
      const wrong = [
        [],
        ['1', '--all'],
        ['1', '--type', 'NameClaimed'],
        ['1', '--since', 'yesterday'],
        ['1', '--limit', '0'],
        ['1', '--cursor', 'x'],
        ['1', '--follow', '--until', later],
        ['1', '--follow', '--oldest-first', '--limit', '1'],
        ['1', '--cursor', toFollowCursor(1n)],
      ]
      for (const args of wrong) expect((await audit(...args)).code, args.join(' ')).to.equal(2)
      expect((await audit('nobody')).code).to.equal(1)
      expect((await audit('99')).code).to.equal(1)
      expect((await roster({ DATA_DIR: '/nonexistent' }, ['audit', '--all'])).code).to.equal(3)
    }))
})
