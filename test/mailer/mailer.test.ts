import { join } from 'node:path'
import { expect } from 'chai'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { createClaims } from '../../src/account/claims.ts'
import type { AccountEvent, UserRegistered } from '../../src/account/events.ts'
import { createHandler } from '../../src/account/handle.ts'
import { createTokens } from '../../src/account/tokens.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import { beforeAll as beginning, type EventStore, noStream } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { createMailer } from '../../src/mailer/mailer.ts'
import { mailerFollower } from '../../src/mailer/mailer-follower.ts'
import { smtpTransport } from '../../src/mailer/transport.ts'
import type { Follower } from '../../src/projector/follower.ts'
import { eventually } from '../support/eventually.ts'
import { anEvent } from '../support/log-events.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const profile = {
  firstName: '',
  lastName: '',
  bio: '',
  favSport1: '',
  favSport2: '',
  favSport3: '',
  location: '',
  avatar: '',
}
const silent = { info() {}, warn() {} }
const now = () => Date.UTC(2026, 0, 1, 12)
const soon = new Date(now() + 3_600_000).toISOString()

/** A log with users who asked for resets, an SMTP server, and mailers over them. */
async function withMail(
  use: (world: {
    store: EventStore
    smtp: Awaited<ReturnType<typeof startSmtpServer>>
    append(userId: number, ...events: AccountEvent[]): Promise<void>
    follower(): Follower
    mailer(mayAct?: () => boolean): {
      feed(): Promise<void>
      stop(): Promise<void>
      settled(): Promise<boolean>
    }
    typesOf(userId: number): Promise<string[]>
  }) => Promise<void>,
): Promise<void> {
  await withTemporaryFolder(async folder => {
    const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
    const smtp = await startSmtpServer()
    const transport = smtpTransport(smtp.url, 'roster@localhost')
    const tokens = createTokens({ secret: Buffer.alloc(32, 1) })
    const running: { stop(): Promise<void> }[] = []
    let appended = 0
    try {
      await use({
        store,
        smtp,
        async append(userId, ...events) {
          const handler = createHandler({ store, now })
          const intent = {
            key: `${appended++}`,
            actor: userId,
            requestId: 'r',
            deadline: Number.POSITIVE_INFINITY,
          }
          await handler.handle(accounts, accountStream(userId), intent, () => events)
        },
        follower() {
          const handler = createHandler({ store, now })
          return mailerFollower({
            handler,
            claims: claimsOver(store, handler),
            transport,
            tokens,
            resetUrl: null,
            now,
            log: silent,
          })
        },
        mailer(mayAct = () => true) {
          const handler = createHandler({ store, now })
          const claims = claimsOver(store, handler)
          const options = { handler, claims, transport, tokens, resetUrl: null, now, log: silent }
          const mailer = createMailer({ ...options, firstPauseMs: 20, mayAct })
          running.push(mailer)
          return {
            async feed() {
              for await (const { events } of store.readAll()) mailer.observe(events.map(toRecorded))
              mailer.begin()
            },
            stop: () => mailer.stop(),
            settled: async () => mailer.settledUpTo(await store.head()) === (await store.head()),
          }
        },
        async typesOf(userId) {
          return (await store.readStream(accountStream(userId))).map(({ type }) => type)
        },
      })
    } finally {
      for (const mailer of running) await mailer.stop()
      transport.close()
      await smtp.stop()
      await store.close()
    }
  })
}

function claimsOver(store: EventStore, handler = createHandler({ store, now })) {
  return createClaims({ store, handler, namesKey: Buffer.alloc(32, 7), now })
}

const registered = (userId: number): UserRegistered => ({
  type: 'UserRegistered',
  data: { userId, username: `user${userId}`, email: `u${userId}@example.org`, passwordHash: '-', ...profile },
})
const requested = (resetId: string, expiresAt = soon): AccountEvent => ({
  type: 'PasswordResetRequested',
  data: { resetId, expiresAt },
})

describe('The mailer', () => {
  it('goes on beside an event that it cannot read, and stays before it for a version that can', async () => {
    await withMail(async ({ store, append, follower, smtp, typesOf }) => {
      await append(1, registered(1))
      const unreadable = { ...anEvent(), type: 'NobodyKnowsThis' }
      await store.append(accountStream(1), [unreadable], 0n)
      await append(2, registered(2), requested('a'))
      const work = follower().begin({ partition: 0, checkpoint: beginning, isHeld: () => true })
      let before = beginning
      for await (const { events, checkpoint: through, caughtUp } of store.readAll()) {
        await work.take(events, { through, caughtUp })
        const at = events.findIndex(({ id }) => id === unreadable.id)
        before = events[at - 1]?.position ?? before
      }
      await eventually(async () => expect(await typesOf(2)).to.include('MailSent'))
      expect(smtp.received.map(({ to }) => to)).to.deep.equal([['u2@example.org']])
      expect(work.done()).to.equal(before)
      await work.end()
    })
  })

  it('sends what was due while it did not know whether another mailer is at work', async () => {
    await withMail(async ({ append, mailer, smtp, typesOf }) => {
      await append(1, registered(1), requested('a'))
      let asked = 0
      const first = mailer(() => ++asked > 3)
      await first.feed()
      await eventually(async () => expect(await typesOf(1)).to.include('MailSent'))
      expect(smtp.received.map(({ to }) => to)).to.deep.equal([['u1@example.org']])
      expect(asked).to.equal(4)
    })
  })

  it('sends what is due once, notes it, and another mailer does not send it again', async () => {
    await withMail(async ({ append, mailer, smtp, typesOf }) => {
      await append(1, registered(1), requested('a'))
      const first = mailer()
      await first.feed()
      await eventually(async () => expect(await typesOf(1)).to.include('MailSent'))
      expect(smtp.received.map(({ to }) => to)).to.deep.equal([['u1@example.org']])
      await eventually(async () => expect(await first.settled()).to.equal(true))
      const second = mailer()
      await second.feed()
      await eventually(async () => expect(await second.settled()).to.equal(true))
      expect(smtp.received.length).to.equal(1)
    })
  })

  it('sends again what was not noted, with the same Message-ID', async () => {
    await withMail(async ({ append, mailer, smtp, typesOf, store }) => {
      await append(1, registered(1), requested('a'))
      const first = mailer()
      // The mail goes out, and the process is gone before it can note that: the log cannot be written for it.
      const append0 = store.append.bind(store)
      let lost = 0
      store.append = async () => {
        lost += 1
        throw new Error('the process is gone')
      }
      await first.feed()
      await eventually(() => expect(lost).to.be.greaterThan(0))
      await first.stop()
      store.append = append0
      await mailer().feed()
      await eventually(async () => expect(await typesOf(1)).to.include('MailSent'))
      const ids = smtp.received.map(({ content }) => /^Message-ID: .*$/m.exec(content)?.[0])
      expect(ids).to.deep.equal([ids[0], ids[0]])
    })
  })

  it('tries again while the server refuses, beside the other mails', async () => {
    await withMail(async ({ append, mailer, smtp, typesOf }) => {
      let refusals = 0
      smtp.refuse(to => to.startsWith('u1@') && ++refusals <= 3)
      await append(1, registered(1), requested('a'))
      await append(2, registered(2), requested('b'))
      const patient = mailer()
      await patient.feed()
      await eventually(async () => expect(await typesOf(2)).to.include('MailSent'))
      await eventually(async () => expect(await typesOf(1)).to.include('MailSent'))
      expect(refusals).to.equal(4)
      expect(smtp.received.map(({ to }) => to[0]).sort()).to.deep.equal(['u1@example.org', 'u2@example.org'])
      await eventually(async () => expect(await patient.settled()).to.equal(true))
    })
  })

  it('stays before a mail that it cannot send', async () => {
    await withMail(async ({ append, mailer, smtp }) => {
      let refusals = 0
      smtp.refuse(() => ++refusals > 0)
      await append(1, registered(1), requested('a'))
      const stuck = mailer()
      await stuck.feed()
      await eventually(() => expect(refusals).to.be.greaterThan(1))
      expect(await stuck.settled()).to.equal(false)
    })
  })

  it('abandons what expired, was used or was superseded', async () => {
    await withMail(async ({ append, mailer, smtp, typesOf, store }) => {
      const past = new Date(now() - 1000).toISOString()
      await append(1, registered(1), requested('a', past))
      await append(2, registered(2), requested('b'), {
        type: 'PasswordReset',
        data: { resetId: 'b', passwordHash: '-' },
      })
      await append(3, registered(3), requested('c1'), requested('c2'), requested('c3'), requested('c4'))
      await mailer().feed()
      await eventually(async () => {
        expect(await typesOf(1)).to.include('MailAbandoned')
        expect(await typesOf(2)).to.include('MailAbandoned')
        expect((await typesOf(3)).filter(type => type === 'MailSent').length).to.equal(3)
      })
      const reasons: unknown[] = []
      for await (const { events } of store.readAll({ after: beginning })) {
        for (const { type, data } of events) if (type === 'MailAbandoned') reasons.push(data.reason)
      }
      expect(reasons.sort()).to.deep.equal(['expired', 'superseded', 'used'])
      expect(smtp.received.length).to.equal(3)
    })
  })

  it('sends each kind of mail to whom it concerns, once', async () => {
    await withMail(async ({ append, mailer, smtp, typesOf }) => {
      await append(1, registered(1), {
        type: 'PasswordChanged',
        data: { passwordHash: '-', exceptSession: null, noticeId: 'a' },
      })
      const asked: AccountEvent = {
        type: 'EmailChangeRequested',
        data: { changeId: 'b', email: 'new2@example.org', expiresAt: soon },
      }
      await append(2, registered(2), asked)
      const asked3: AccountEvent = { ...asked, data: { ...asked.data, changeId: 'c' } }
      const changed: AccountEvent = {
        type: 'EmailChanged',
        data: { email: 'new3@example.org', changeId: 'c', noticeId: 'd' },
      }
      await append(3, registered(3), asked3, changed)
      await append(4, registered(4), {
        type: 'SessionStolen',
        data: { sessionId: 's', device: 'Firefox', addressRange: '192.0.2.0/24', noticeId: 'e' },
      })
      await mailer().feed()
      await eventually(async () => {
        for (const userId of [1, 2, 3, 4]) expect(await typesOf(userId)).to.include('MailSent')
        expect(await typesOf(3)).to.include('MailAbandoned')
      })
      const again = mailer()
      await again.feed()
      await eventually(async () => expect(await again.settled()).to.equal(true))
      const sent = smtp.received.map(({ to, content }) => [to[0], /^Subject: (.*)$/m.exec(content)?.[1]])
      expect(sent).to.have.deep.members([
        ['u1@example.org', 'Your password was changed'],
        ['new2@example.org', 'Confirm your e-mail address'],
        ['u3@example.org', 'Your account has another e-mail address'],
        ['u4@example.org', 'A session of yours was ended'],
      ])
    })
  })

  describe('asked for a token for the address of another user', () => {
    const wanting: AccountEvent = {
      type: 'EmailChangeRequested',
      data: { changeId: 'b', email: 'U1@example.org', expiresAt: soon },
    }
    const proved = [
      requested('a'),
      { type: 'PasswordReset', data: { resetId: 'a', passwordHash: '-' } },
    ] as const
    const erased: AccountEvent = { type: 'UserErased', data: { reservedUntil: soon } }
    /** Whom the mails about the address went to, with their subjects. */
    const sent = ({ received }: { received: readonly { to: readonly string[]; content: string }[] }) =>
      received.map(({ to, content }) => [to[0], /^Subject: (.*)$/m.exec(content)?.[1]])
    const noticeToOwner = ['u1@example.org', 'You have an account already']
    const tokenToOther = ['U1@example.org', 'Confirm your e-mail address']

    async function claim(store: EventStore): Promise<void> {
      const intent = { key: 'c', actor: 1, requestId: 'r', deadline: Number.POSITIVE_INFINITY }
      const claimant = { stream: accountStream(1), at: noStream }
      expect(await claimsOver(store).claim('email', 'u1@example.org', claimant, intent)).to.equal(true)
    }

    it('tells the owner who proved it instead, and notes the mail as ever', async () => {
      await withMail(async ({ store, append, mailer, smtp, typesOf }) => {
        await claim(store)
        await append(1, registered(1), ...proved)
        await append(2, registered(2), wanting)
        await mailer().feed()
        await eventually(async () => expect(await typesOf(2)).to.include('MailSent'))
        expect(sent(smtp)).to.deep.equal([noticeToOwner])
        const content = smtp.received[0]?.content
        expect(content).to.contain('Hello user1,').and.not.to.contain('user2')
        expect(content).to.contain('Message-ID: <b@')
        expect(content).not.to.match(/^\d+\.[\w-]+\.[\w-]+$/m)
      })
    })

    it('does so whoever came to have it between the request and the mail', async () => {
      await withMail(async ({ store, append, mailer, smtp, typesOf }) => {
        await append(2, registered(2), wanting)
        await claim(store)
        await append(1, registered(1), ...proved)
        await mailer().feed()
        await eventually(async () => expect(await typesOf(2)).to.include('MailSent'))
        expect(sent(smtp)).to.deep.equal([noticeToOwner])
      })
    })

    it('sends the token where the owner never proved it, or is gone by then', async () => {
      for (const since of [[], [...proved, erased]]) {
        await withMail(async ({ store, append, mailer, smtp, typesOf }) => {
          await claim(store)
          await append(1, registered(1))
          await append(2, registered(2), wanting)
          await append(1, ...since)
          await mailer().feed()
          await eventually(async () => expect(await typesOf(2)).to.include('MailSent'))
          expect(sent(smtp)).to.deep.equal([tokenToOther])
        })
      }
    })
  })

  it('mails a reset to the address it was asked for, or not at all', async () => {
    await withMail(async ({ append, mailer, smtp, typesOf }) => {
      await append(1, registered(1), requested('a'), {
        type: 'EmailChanged',
        data: { email: 'new@example.org', changeId: null, noticeId: 'n' },
      })
      await mailer().feed()
      await eventually(async () => {
        expect(await typesOf(1))
          .to.include('MailAbandoned')
          .and.to.include('MailSent')
      })
      const subjects = smtp.received.map(({ content }) => /^Subject: (.*)$/m.exec(content)?.[1])
      expect(subjects).to.deep.equal(['Your account has another e-mail address'])
    })
  })
})
