import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Account,
  abandonMail,
  dueMail,
  editProfile,
  endOtherSessions,
  evolve,
  noAccount,
  outlives,
  recordMailSent,
  registerUser,
  rehashPassword,
  requestPasswordReset,
  resetPassword,
} from '../../src/account/account.ts'
import { DomainError } from '../../src/account/domain-error.ts'
import type { AccountEvent, UserRegistered } from '../../src/account/events.ts'
import { fold, given, second } from '../support/given-when-then.ts'

const user: UserRegistered['data'] = {
  userId: 42,
  username: 'egekaya',
  email: 'ege@example.org',
  passwordHash: '$argon2id$first',
  firstName: 'Ege',
  lastName: 'Kaya',
  bio: '',
  favSport1: 'football',
  favSport2: '',
  favSport3: '',
  location: 'Istanbul',
  avatar: '',
}
const registered: UserRegistered = { type: 'UserRegistered', data: user }

const requested = (resetId: string, atSecond = 0, lastsSeconds = 86_400) => ({
  event: {
    type: 'PasswordResetRequested',
    data: { resetId, expiresAt: second(atSecond + lastsSeconds) },
  } satisfies AccountEvent,
  atSecond,
})
const used = (resetId: string): AccountEvent => ({
  type: 'PasswordReset',
  data: { resetId, passwordHash: '$argon2id$second' },
})
const request = (resetId: string, atSecond: number) => (account: Account) =>
  requestPasswordReset(account, { resetId, now: second(atSecond), expiresAt: second(atSecond + 86_400) })
const reset = (resetId: string, atSecond: number) => (account: Account) =>
  resetPassword(account, { resetId, now: second(atSecond), passwordHash: '$argon2id$second' })

describe('An account', () => {
  describe('registering', () => {
    it('is accepted on a stream that nobody used', () => {
      given()
        .when(account => registerUser(account, user))
        .then(registered)
    })

    it('is refused on an account that is there', () => {
      given(registered)
        .when(account => registerUser(account, user))
        .thenRefused('invalid_fields')
    })

    it('leaves nothing where the claim was abandoned', () => {
      expect(fold([{ type: 'ClaimAbandoned', data: { reason: 'refused' } }])).to.deep.equal(noAccount)
    })
  })

  describe('editing the profile', () => {
    it('stores only the fields that differ', () => {
      given(registered)
        .when(account => editProfile(account, { bio: 'Hello', location: 'Istanbul', privacy: true }))
        .then({ type: 'ProfileEdited', data: { bio: 'Hello', privacy: true } })
    })

    it('stores nothing when nothing differs', () => {
      given(registered, { type: 'ProfileEdited', data: { bio: 'Hello' } })
        .when(account => editProfile(account, { bio: 'Hello', privacy: false }))
        .thenNothing()
    })

    it('is refused to nobody', () => {
      given()
        .when(account => editProfile(account, { bio: 'Hello' }))
        .thenRefused('account_gone')
    })
  })

  describe('asking for a reset', () => {
    it('is accepted', () => {
      given(registered).when(request('a', 10)).then(requested('a', 10).event)
    })

    it('adds nothing within a minute of another request', () => {
      given(registered, requested('a', 0)).when(request('b', 59)).thenNothing()
    })

    it('is accepted a minute after another request', () => {
      given(registered, requested('a', 0)).when(request('b', 60)).then(requested('b', 60).event)
    })

    it('is accepted at once after a reset that was used', () => {
      given(registered, requested('a', 0), used('a')).when(request('b', 5)).then(requested('b', 5).event)
    })
  })

  describe('resetting the password', () => {
    it('is accepted with any of the last three requests', () => {
      const past = [
        registered,
        requested('a', 0),
        requested('b', 100),
        requested('c', 200),
        requested('d', 300),
      ]
      for (const resetId of ['b', 'c', 'd']) {
        given(...past)
          .when(reset(resetId, 400))
          .then(used(resetId))
      }
      given(...past)
        .when(reset('a', 400))
        .thenRefused('reset_token_invalid')
    })

    it('is refused with one that was used, and with all others after it', () => {
      const past = [registered, requested('a', 0), requested('b', 100), used('b')]
      for (const resetId of ['a', 'b']) {
        given(...past)
          .when(reset(resetId, 200))
          .thenRefused('reset_token_invalid')
      }
    })

    it('is refused from the moment it expires', () => {
      given(registered, requested('a', 0, 60))
        .when(reset('a', 59))
        .then(used('a'))
      given(registered, requested('a', 0, 60))
        .when(reset('a', 60))
        .thenRefused('reset_token_invalid')
    })

    it('ends every session begun before it', () => {
      const account = fold([registered, requested('a', 0), used('a')])
      expect(account).to.deep.include({
        sessionsEnd: { revision: 2, except: null },
        passwordHash: '$argon2id$second',
      })
    })
  })

  describe('a hash made elsewhere', () => {
    const rehash = (verifiedBy: string) => (account: Account) =>
      rehashPassword(account, { verifiedBy, passwordHash: '$argon2id$upgraded' })
    const rehashed: AccountEvent = { type: 'PasswordRehashed', data: { passwordHash: '$argon2id$upgraded' } }

    it('is replaced by that of the same password', () => {
      given(registered).when(rehash('$argon2id$first')).then(rehashed)
    })

    it('is left alone where the account has another one by now, or is gone', () => {
      given(registered, requested('a'), used('a')).when(rehash('$argon2id$first')).thenNothing()
      given(registered, rehashed).when(rehash('$argon2id$first')).thenNothing()
      given().when(rehash('$argon2id$first')).thenNothing()
    })

    it('is replaced without ending anything', () => {
      const before = fold([registered, requested('a')])
      expect(fold([registered, requested('a'), rehashed])).to.deep.equal({
        ...before,
        passwordHash: '$argon2id$upgraded',
      })
    })
  })

  describe('ending the other sessions', () => {
    const ended = (exceptSession: string | null): AccountEvent => ({
      type: 'SessionsEnded',
      data: { exceptSession },
    })
    const endOthers = (sessionId: string, accountRevision: number) => (account: Account) =>
      endOtherSessions(account, { sessionId, accountRevision })

    it('is accepted in a session that goes on', () => {
      given(registered).when(endOthers('mine', 0)).then(ended('mine'))
      given(registered, ended('mine')).when(endOthers('mine', 0)).then(ended('mine'))
    })

    it('is refused in a session that was ended itself, lest that go on again', () => {
      given(registered, ended('other')).when(endOthers('mine', 0)).thenRefused('session_ended')
      given(registered, ended('mine'), ended('other')).when(endOthers('mine', 0)).thenRefused('session_ended')
    })

    it('is refused to nobody', () => {
      given().when(endOthers('mine', 0)).thenRefused('account_gone')
    })

    it('ends what began before it, but for the one excepted', () => {
      const account = fold([registered, ended('mine')])
      expect(account).to.deep.include({ sessionsEnd: { revision: 1, except: 'mine' } })
      const end = { revision: 1, except: 'mine' }
      expect(outlives({ sessionId: 'mine', accountRevision: 0 }, end)).to.equal(true)
      expect(outlives({ sessionId: 'other', accountRevision: 0 }, end)).to.equal(false)
      expect(outlives({ sessionId: 'later', accountRevision: 1 }, end)).to.equal(true)
    })
  })

  describe('a mail', () => {
    const sent: AccountEvent = { type: 'MailSent', data: { mailId: 'a', messageId: '<a@localhost>' } }
    const note = (account: Account) => recordMailSent(account, { mailId: 'a', messageId: '<a@localhost>' })
    const abandon = (atSecond: number) => (account: Account) =>
      abandonMail(account, { mailId: 'a', now: second(atSecond) })
    const abandoned = (reason: 'used' | 'expired' | 'superseded'): AccountEvent => ({
      type: 'MailAbandoned',
      data: { mailId: 'a', reason },
    })

    it('is noted once', () => {
      given(registered, requested('a')).when(note).then(sent)
      given(registered, requested('a'), sent).when(note).thenNothing()
    })

    it('is abandoned when its reset was used', () => {
      given(registered, requested('a'), used('a')).when(abandon(1)).then(abandoned('used'))
    })

    it('is abandoned when its reset was superseded, also if another one was used since', () => {
      const past = [registered, requested('a'), requested('b', 100), requested('c', 200), requested('d', 300)]
      given(...past)
        .when(abandon(301))
        .then(abandoned('superseded'))
      given(...past, used('d'))
        .when(abandon(301))
        .then(abandoned('superseded'))
    })

    it('is abandoned when its reset expired', () => {
      given(registered, requested('a', 0, 60))
        .when(abandon(60))
        .then(abandoned('expired'))
    })

    it('is not abandoned while it is wanted', () => {
      given(registered, requested('a')).when(abandon(1)).thenNothing()
    })

    it('is not due after it was sent or abandoned', () => {
      expect(dueMail(fold([registered, requested('a'), sent]), 'a')).to.equal(null)
      expect(dueMail(fold([registered, requested('a'), abandoned('used')]), 'a')).to.equal(null)
    })
  })

  it('folds any allowed commands to the same account, one by one or from the log', () => {
    const resetIds = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5')
    const command = fc.oneof(
      fc
        .record({ bio: fc.string(), firstName: fc.string(), privacy: fc.boolean() }, { requiredKeys: [] })
        .map(changes => (account: Account) => editProfile(account, changes)),
      resetIds.map(id => (account: Account, now: number) => request(id, now)(account)),
      resetIds.map(id => (account: Account, now: number) => reset(id, now)(account)),
      resetIds.map(id => (account: Account) => recordMailSent(account, { mailId: id, messageId: id })),
      resetIds.map(
        id => (account: Account, now: number) => abandonMail(account, { mailId: id, now: second(now) }),
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(command, fc.nat(40_000))), commands => {
        let account: Account = fold([registered])
        let now = 0
        const log: { event: AccountEvent; time: string }[] = [{ event: registered, time: second(0) }]
        for (const [decide, pause] of commands) {
          now += pause
          let decided: AccountEvent[] = []
          try {
            decided = decide(account, now)
          } catch (error) {
            expect(error).to.be.instanceOf(DomainError)
          }
          for (const event of decided) {
            account = evolve(account, event, { revision: log.length, time: second(now) })
            log.push({ event, time: second(now) })
          }
        }
        const replayed = log.reduce<Account>(
          (state, { event, time }, revision) =>
            evolve(state, JSON.parse(JSON.stringify(event)), { revision, time }),
          noAccount,
        )
        expect(replayed).to.deep.equal(account)
        if (replayed.status === 'active') expect(replayed.resets.length).to.be.at.most(3)
      }),
    )
  })
})
