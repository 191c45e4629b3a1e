import { expect } from 'chai'
import {
  type Account,
  abandonMail,
  changePassword,
  confirmEmailChange,
  dueMail,
  loseEmail,
  noteTheft,
  noteWantedEmail,
  noticeLastsSeconds,
  requestEmailChange,
  resetPassword,
} from '../../src/account/account.ts'
import type { AccountEvent, UserRegistered } from '../../src/account/events.ts'
import { fold, given, type Past, second } from '../support/given-when-then.ts'

const registered: UserRegistered = {
  type: 'UserRegistered',
  data: {
    userId: 42,
    username: 'egekaya',
    email: 'ege@example.org',
    passwordHash: '$argon2id$first',
    firstName: 'Ege',
    lastName: 'Kaya',
    bio: '',
    favSport1: '',
    favSport2: '',
    favSport3: '',
    location: '',
    avatar: '',
  },
}
const asking = { sessionId: 'mine', accountRevision: 0 }
const dead = { sessionId: 'mine', accountRevision: -1 }
const day = 86_400

const resetRequested = (atSecond = 0): Past => ({
  event: { type: 'PasswordResetRequested', data: { resetId: 'r', expiresAt: second(day) } },
  atSecond,
})
const passwordReset: AccountEvent = {
  type: 'PasswordReset',
  data: { resetId: 'r', passwordHash: '$argon2id$second' },
}
const passwordChanged: AccountEvent = {
  type: 'PasswordChanged',
  data: { passwordHash: '$argon2id$second', exceptSession: 'mine', noticeId: 'n' },
}
const changeRequested = (email = 'kaya@example.org', changeId = 'c', atSecond = 0) => ({
  event: {
    type: 'EmailChangeRequested',
    data: { changeId, email, expiresAt: second(atSecond + day) },
  } satisfies AccountEvent,
  atSecond,
})
const emailChanged = (email = 'kaya@example.org', changeId: string | null = 'c'): AccountEvent => ({
  type: 'EmailChanged',
  data: { email, changeId, noticeId: 'n' },
})
const emailLost: AccountEvent = { type: 'EmailLost', data: { takenBy: 43 } }
const proved = [registered, resetRequested(), passwordReset]

const due = (past: readonly Past[], mailId: string) => dueMail(fold(past), mailId)

describe('An account kept safe', () => {
  describe('changing the password', () => {
    const change =
      (session = asking) =>
      (account: Account) =>
        changePassword(account, { passwordHash: '$argon2id$second', noticeId: 'n', asking: session })

    it('is accepted, and leaves the session that asks', () => {
      given(registered).when(change()).then(passwordChanged)
      expect(fold([registered, passwordChanged])).to.deep.include({
        passwordHash: '$argon2id$second',
        sessionsEnd: { revision: 1, except: 'mine' },
      })
    })

    it('is refused in a session that was ended meanwhile, lest that go on again', () => {
      given(registered).when(change(dead)).thenRefused('session_ended')
      const elsewhere: AccountEvent = {
        type: 'PasswordChanged',
        data: { passwordHash: '-', exceptSession: 'other', noticeId: 'm' },
      }
      given(registered, elsewhere).when(change()).thenRefused('session_ended')
    })

    it('is refused to nobody', () => {
      given().when(change()).thenRefused('account_gone')
    })

    it('ends resets and a change of address that somebody else may have asked for', () => {
      const past = [registered, resetRequested(), changeRequested(), passwordChanged]
      given(...past)
        .when(account => resetPassword(account, { resetId: 'r', now: second(1), passwordHash: '-' }))
        .thenRefused('reset_token_invalid')
      given(...past)
        .when(account => confirmEmailChange(account, { changeId: 'c', noticeId: 'm', now: second(1) }))
        .thenRefused('email_token_invalid')
      expect(due(past, 'r')).to.include({ reason: 'superseded' })
      expect(due(past, 'c')).to.include({ reason: 'superseded' })
    })

    it('makes a mail due that tells the owner, for a week', () => {
      expect(due([registered, passwordChanged], 'n')).to.deep.equal({
        kind: 'passwordChanged',
        mailId: 'n',
        to: 'ege@example.org',
        askedAt: second(0),
        expiresAt: second(noticeLastsSeconds),
        reason: null,
      })
      given(registered, passwordChanged)
        .when(account => abandonMail(account, { mailId: 'n', now: second(noticeLastsSeconds) }))
        .then({ type: 'MailAbandoned', data: { mailId: 'n', reason: 'expired' } })
    })

    it('makes no mail due where there is no address', () => {
      const nowhere = { ...registered, data: { ...registered.data, email: '' } }
      expect(due([nowhere, passwordChanged], 'n')).to.equal(null)
    })
  })

  describe('asking for another address', () => {
    const ask =
      (email: string, atSecond: number, session = asking) =>
      (account: Account) =>
        requestEmailChange(account, {
          ...{ changeId: 'd', email, now: second(atSecond), expiresAt: second(atSecond + day) },
          asking: session,
        })

    it('is accepted, and makes a mail to it due', () => {
      given(registered).when(ask('kaya@example.org', 0)).then(changeRequested('kaya@example.org', 'd').event)
      expect(due([registered, changeRequested()], 'c')).to.include({
        kind: 'emailConfirmation',
        to: 'kaya@example.org',
        expiresAt: second(day),
      })
    })

    it('changes nothing before it is confirmed', () => {
      expect(fold([registered, changeRequested()])).to.include({
        email: 'ege@example.org',
        emailProved: false,
      })
    })

    it('is accepted for the present one while that is not proved', () => {
      given(registered).when(ask('ege@example.org', 0)).then(changeRequested('ege@example.org', 'd').event)
      given(...proved)
        .when(ask('ege@example.org', 0, { sessionId: 'mine', accountRevision: 2 }))
        .thenNothing()
    })

    it('adds nothing within a minute of the same request', () => {
      given(registered, changeRequested('kaya@example.org')).when(ask('kaya@example.org', 59)).thenNothing()
      given(registered, changeRequested('kaya@example.org'))
        .when(ask('kaya@example.org', 60))
        .then(changeRequested('kaya@example.org', 'd', 60).event)
    })

    it('replaces the request before it, whose mail is not wanted any more', () => {
      given(registered, changeRequested('typo@example.org'))
        .when(ask('kaya@example.org', 5))
        .then(changeRequested('kaya@example.org', 'd', 5).event)
      const past = [
        registered,
        changeRequested('typo@example.org'),
        changeRequested('kaya@example.org', 'd', 5),
      ]
      expect(due(past, 'c')).to.include({ reason: 'superseded' })
      given(...past)
        .when(account => confirmEmailChange(account, { changeId: 'c', noticeId: 'n', now: second(6) }))
        .thenRefused('email_token_invalid')
    })

    it('is refused in a session that was ended meanwhile', () => {
      given(registered)
        .when(ask('kaya@example.org', 0, dead))
        .thenRefused('session_ended')
    })
  })

  describe('confirming an address', () => {
    const confirm = (changeId: string, atSecond: number) => (account: Account) =>
      confirmEmailChange(account, { changeId, noticeId: 'n', now: second(atSecond) })

    it('makes it the account’s, and proved', () => {
      given(registered, changeRequested()).when(confirm('c', 1)).then(emailChanged())
      const past = [registered, changeRequested(), emailChanged()]
      expect(fold(past)).to.include({ email: 'kaya@example.org', emailProved: true, emailChange: null })
      expect(due(past, 'c')).to.include({ reason: 'used' })
    })

    it('works once, and until it expires', () => {
      given(registered, changeRequested(), emailChanged())
        .when(confirm('c', 1))
        .thenRefused('email_token_invalid')
      given(registered, changeRequested())
        .when(confirm('c', day - 1))
        .then(emailChanged())
      given(registered, changeRequested()).when(confirm('c', day)).thenRefused('email_token_invalid')
      given(registered).when(confirm('c', 1)).thenRefused('email_token_invalid')
      given().when(confirm('c', 1)).thenRefused('email_token_invalid')
    })

    it('tells the old address', () => {
      expect(due([registered, changeRequested(), emailChanged()], 'n')).to.include({
        kind: 'emailChanged',
        to: 'ege@example.org',
      })
    })

    it('tells nobody when the address is the same, or the first one', () => {
      const respelt = 'EGE@example.org'
      expect(due([registered, changeRequested(respelt), emailChanged(respelt)], 'n')).to.equal(null)
      const nowhere = { ...registered, data: { ...registered.data, email: '' } }
      expect(due([nowhere, changeRequested(), emailChanged()], 'n')).to.equal(null)
    })

    it('ends resets that were mailed to the old address', () => {
      const past = [registered, resetRequested(), changeRequested(), emailChanged()]
      given(...past)
        .when(account => resetPassword(account, { resetId: 'r', now: second(1), passwordHash: '-' }))
        .thenRefused('reset_token_invalid')
      expect(due(past, 'r')).to.include({ reason: 'superseded' })
    })
  })

  describe('an address', () => {
    const lose = (email: string) => (account: Account) => loseEmail(account, { email, takenBy: 43 })

    it('is proved by the use of a token mailed to it, and by nothing else', () => {
      expect(fold([registered])).to.include({ emailProved: false })
      expect(fold([registered, resetRequested()])).to.include({ emailProved: false })
      expect(fold([registered, changeRequested()])).to.include({ emailProved: false })
      expect(fold([registered, passwordChanged])).to.include({ emailProved: false })
      expect(fold(proved)).to.include({ emailProved: true })
      expect(fold([...proved, emailChanged('set@example.org', null)])).to.include({ emailProved: false })
    })

    it('is lost to who proves it, if it never was proved', () => {
      given(registered).when(lose('ege@example.org')).then(emailLost)
      given(...proved)
        .when(lose('ege@example.org'))
        .thenNothing()
      given(registered).when(lose('other@example.org')).thenNothing()
      given(registered, emailLost).when(lose('ege@example.org')).thenNothing()
      given().when(lose('ege@example.org')).thenNothing()
    })

    it('takes what was mailed to it along when it is lost', () => {
      const past = [
        registered,
        resetRequested(),
        passwordChanged,
        resetRequested(1),
        changeRequested(),
        emailLost,
      ]
      expect(fold(past)).to.include({ email: '', emailProved: false }).and.to.have.deep.property('resets', [])
      expect(due(past, 'r')).to.include({ reason: 'superseded' })
      expect(due(past, 'n')).to.include({ reason: 'superseded' })
      expect(due(past, 'c')).to.include({ reason: null })
    })
  })

  describe('a theft', () => {
    const theft = { sessionId: 's', device: 'Firefox', addressRange: '192.0.2.0/24', noticeId: 'n' }
    const stolen: AccountEvent = { type: 'SessionStolen', data: theft }
    const note = (account: Account) => noteTheft(account, { ...theft, noticeId: 'm' })

    it('is noted once, and makes a mail due that tells where the session was', () => {
      given(registered)
        .when(note)
        .then({ type: 'SessionStolen', data: { ...theft, noticeId: 'm' } })
      given(registered, stolen).when(note).thenNothing()
      given(registered, stolen, { type: 'MailSent', data: { mailId: 'n', messageId: '<n@localhost>' } })
        .when(note)
        .thenNothing()
      const mail = due([registered, stolen], 'n')
      expect(mail).to.include({ kind: 'sessionStolen', to: 'ege@example.org', device: 'Firefox' })
    })

    it('is told to one address once an hour at most, of whatever sessions', () => {
      const theftOf = (noticeId: string, atSecond: number): Past => ({
        event: { type: 'SessionStolen', data: { ...theft, sessionId: `session ${noticeId}`, noticeId } },
        atSecond,
      })
      const mailedOf = (...past: (AccountEvent | Past)[]) =>
        ['n1', 'n2', 'n3'].filter(noticeId => due([registered, ...past], noticeId) !== null)
      const [one, two, three] = [theftOf('n1', 1), theftOf('n2', 3600), theftOf('n3', 3601)]
      expect(mailedOf(one, two, three)).to.deep.equal(['n1', 'n3'])
      given(registered, one)
        .when(note)
        .then({ type: 'SessionStolen', data: { ...theft, noticeId: 'm' } })
      given(registered, one, two)
        .when(account => noteTheft(account, { ...theft, sessionId: 'session n2' }))
        .thenNothing()
      expect(mailedOf(one, changeRequested(), emailChanged(), two)).to.deep.equal(['n1', 'n2'])
    })

    it('is of no interest to nobody', () => {
      given().when(note).thenNothing()
    })

    it('ends no other session', () => {
      expect(fold([registered, stolen])).to.deep.include({ sessionsEnd: { revision: 0, except: null } })
    })
  })

  describe('an address that somebody else gave as theirs', () => {
    const wanted = { for: 'registration', noticeId: 'n' } as const
    const past = (atSecond: number): Past => ({ event: { type: 'EmailWanted', data: wanted }, atSecond })
    const noteAt = (atSecond: number) => (account: Account) =>
      noteWantedEmail(account, { ...wanted, noticeId: 'm', now: second(atSecond) })
    const noted: AccountEvent = { type: 'EmailWanted', data: { ...wanted, noticeId: 'm' } }

    it('is told to its owner, at most once a day', () => {
      given(registered).when(noteAt(1)).then(noted)
      given(registered, past(1)).when(noteAt(day)).thenNothing()
      given(registered, past(1))
        .when(noteAt(day + 1))
        .then(noted)
      const mail = due([registered, past(1)], 'n')
      expect(mail).to.include({ kind: 'emailWanted', for: 'registration', to: 'ege@example.org' })
    })

    it('is of no interest to nobody', () => {
      given().when(noteAt(1)).thenNothing()
    })
  })
})
