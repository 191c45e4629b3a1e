import { expect } from 'chai'
import {
  type Account,
  disableAccount,
  editProfile,
  enableAccount,
  eraseAccount,
  eraseByOperator,
  evolve,
  loseEmail,
  noAccount,
  noteTheft,
  recordMailSent,
  registerUser,
  rehashPassword,
  requestPasswordReset,
  signOut,
} from '../../src/account/account.ts'
import type { AccountEvent, UserRegistered } from '../../src/account/events.ts'
import { fold, given, second } from '../support/given-when-then.ts'

const registered: UserRegistered = {
  type: 'UserRegistered',
  data: {
    userId: 42,
    username: 'egekaya',
    email: 'ege@example.org',
    passwordHash: '$argon2id$first',
    firstName: '',
    lastName: '',
    bio: '',
    favSport1: '',
    favSport2: '',
    favSport3: '',
    location: '',
    avatar: '',
  },
}
const resetRequested: AccountEvent = {
  type: 'PasswordResetRequested',
  data: { resetId: 'r', expiresAt: second(60) },
}
const signedOut: AccountEvent = { type: 'SessionsEnded', data: { exceptSession: null } }
const disabled: AccountEvent = { type: 'AccountDisabled', data: {} }
const erased: AccountEvent = { type: 'UserErased', data: { reservedUntil: '2026-01-31T12:00:05.000Z' } }
const asking = { sessionId: 'mine', accountRevision: 0 }
const erase = (account: Account) => eraseAccount(account, { now: second(5), asking })

describe('An erasure', () => {
  it('reserves the username for 30 days, and says nothing else', () => {
    given(registered).when(erase).then(erased)
    given(registered)
      .when(account => eraseByOperator(account, second(5)))
      .then(erased)
  })

  it('leaves nothing of the account but how long its username is reserved', () => {
    const left = { status: 'erased', reservedUntil: '2026-01-31T12:00:05.000Z' }
    expect(fold([registered, resetRequested, erased])).to.deep.equal(left)
  })

  it('is the same where it is all that is left of the stream', () => {
    const place = { revision: 7, time: second(5) }
    expect(evolve(noAccount, erased, place)).to.deep.equal(fold([registered, erased]))
  })

  it('is refused in a session that was ended, and to a disabled account', () => {
    given(registered, signedOut).when(erase).thenRefused('session_ended')
    given(registered, disabled).when(erase).thenRefused('account_gone')
  })

  it('can be done by an operator to a disabled account, and once only', () => {
    const byOperator = (account: Account) => eraseByOperator(account, second(5))
    given(registered, disabled).when(byOperator).then(erased)
    given(registered, erased).when(byOperator).thenNothing()
    given().when(byOperator).thenRefused('account_gone')
  })

  it('leaves an account to which nothing can be done any more', () => {
    const refused: ((account: Account) => AccountEvent[])[] = [
      erase,
      disableAccount,
      enableAccount,
      signOut,
      account => editProfile(account, { bio: 'x' }),
    ]
    for (const decide of refused) given(registered, erased).when(decide).thenRefused('account_gone')
    given(registered, erased)
      .when(account => requestPasswordReset(account, { resetId: 's', now: second(9), expiresAt: second(60) }))
      .thenRefused('email_unknown')
    given(registered, erased)
      .when(account => registerUser(account, registered.data))
      .thenRefused('invalid_fields')
  })

  it('leaves nothing to note of what was under way', () => {
    const idle: ((account: Account) => AccountEvent[])[] = [
      account => recordMailSent(account, { mailId: 'r', messageId: '<r@example.org>' }),
      account => loseEmail(account, { email: 'ege@example.org', takenBy: 43 }),
      account => noteTheft(account, { sessionId: 's', device: '', addressRange: '', noticeId: 'n' }),
      account => rehashPassword(account, { verifiedBy: '$argon2id$first', passwordHash: '-' }),
    ]
    for (const decide of idle) given(registered, resetRequested, erased).when(decide).thenNothing()
  })
})
