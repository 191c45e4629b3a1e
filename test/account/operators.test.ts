import { expect } from 'chai'
import {
  type Account,
  changePassword,
  confirmEmailChange,
  disableAccount,
  dueMail,
  editProfile,
  enableAccount,
  loseEmail,
  requestPasswordReset,
  resetPassword,
  setEmail,
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
const disabled: AccountEvent = { type: 'AccountDisabled', data: {} }
const enabled: AccountEvent = { type: 'AccountEnabled', data: {} }
const resetRequested: AccountEvent = {
  type: 'PasswordResetRequested',
  data: { resetId: 'r', expiresAt: second(60) },
}
const changeRequested: AccountEvent = {
  type: 'EmailChangeRequested',
  data: { changeId: 'c', email: 'kaya@example.org', expiresAt: second(60) },
}

describe('An account in an operator’s hands', () => {
  it('is disabled once, and enabled again', () => {
    given(registered).when(disableAccount).then(disabled)
    given(registered, disabled).when(disableAccount).thenNothing()
    given(registered, disabled).when(enableAccount).then(enabled)
    given(registered).when(enableAccount).thenNothing()
    for (const decide of [disableAccount, enableAccount, signOut])
      given().when(decide).thenRefused('account_gone')
  })

  it('is of no use to anybody while it is disabled', () => {
    const asking = { sessionId: 'mine', accountRevision: 9 }
    for (const decide of [
      (account: Account) => editProfile(account, { bio: 'x' }),
      (account: Account) => changePassword(account, { passwordHash: '-', noticeId: 'n', asking }),
    ]) {
      given(registered, disabled).when(decide).thenRefused('account_gone')
    }
    given(registered, disabled)
      .when(account => requestPasswordReset(account, { resetId: 's', now: second(0), expiresAt: second(60) }))
      .thenRefused('email_unknown')
    const active = fold([registered, disabled, enabled])
    expect(editProfile(active, { bio: 'x' })).to.have.lengthOf(1)
  })

  it('loses its sessions and what was mailed when it is disabled, for good', () => {
    const past = [registered, resetRequested, changeRequested, disabled, enabled]
    expect(fold(past)).to.deep.include({ sessionsEnd: { revision: 3, except: null } })
    given(...past)
      .when(account => resetPassword(account, { resetId: 'r', now: second(1), passwordHash: '-' }))
      .thenRefused('reset_token_invalid')
    given(...past)
      .when(account => confirmEmailChange(account, { changeId: 'c', noticeId: 'n', now: second(1) }))
      .thenRefused('email_token_invalid')
    for (const mailId of ['r', 'c']) {
      expect(dueMail(fold(past), mailId)).to.include({ reason: 'superseded' })
    }
  })

  it('keeps its names while it is disabled, but for an address that somebody else proves', () => {
    expect(fold([registered, disabled])).to.include({ username: 'egekaya', email: 'ege@example.org' })
    given(registered, disabled)
      .when(account => loseEmail(account, { email: 'ege@example.org', takenBy: 43 }))
      .then({ type: 'EmailLost', data: { takenBy: 43 } })
  })

  it('is signed out everywhere', () => {
    given(registered)
      .when(signOut)
      .then({ type: 'SessionsEnded', data: { exceptSession: null } })
  })

  it('gets another address, or none, which is not proved, and the old one is told', () => {
    const set = (email: string) => (account: Account) => setEmail(account, { email, noticeId: 'n' })
    const changed = (email: string): AccountEvent => ({
      type: 'EmailChanged',
      data: { email, changeId: null, noticeId: 'n' },
    })
    given(registered).when(set('kaya@example.org')).then(changed('kaya@example.org'))
    given(registered).when(set('')).then(changed(''))
    given(registered, disabled).when(set('')).then(changed(''))
    given(registered).when(set('ege@example.org')).thenNothing()
    given().when(set('ege@example.org')).thenRefused('account_gone')
    const account = fold([registered, changed('kaya@example.org')])
    expect(account).to.include({ email: 'kaya@example.org', emailProved: false })
    expect(dueMail(account, 'n')).to.include({ kind: 'emailChanged', to: 'ege@example.org' })
  })
})
