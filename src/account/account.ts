import { DomainError } from './domain-error.ts'
import type {
  AccountEvent,
  EmailWanted,
  ProfileEdited,
  ProfileFields,
  RosterEvent,
  SessionStolen,
  UserRegistered,
} from './events.ts'

// --- state -----------------------------------------------------------------------------------------------

export type Reset = { resetId: string; requestedAt: string; expiresAt: string }

/** An address that is to become the account's once the link mailed to it is used. */
export type EmailChange = { changeId: string; email: string; requestedAt: string; expiresAt: string }

/** What a mail is about, with what it tells beside the user's name. */
export type MailAbout =
  | { kind: 'reset' | 'emailConfirmation' | 'passwordChanged' | 'emailChanged' }
  | { kind: 'sessionStolen'; device: string; addressRange: string }
  | { kind: 'emailWanted'; for: EmailWanted['data']['for'] }

/** A mail asked for and neither sent nor abandoned yet. `reason` says why it is not wanted any more. */
export type DueMail = MailAbout & {
  mailId: string
  to: string
  askedAt: string
  expiresAt: string
  reason: 'used' | 'superseded' | null
}

/** Sessions begun before the account's `revision` are dead, but for the one excepted. */
export type SessionsEnd = { revision: number; except: string | null }

/** The session in which a command is given, and the account's revision when it began. */
export type AskingSession = { sessionId: string; accountRevision: number }

type AccountState = {
  userId: number
  username: string
  email: string
  /** Whether a token mailed to the address was used. If not, whoever proves to control it can take it. */
  emailProved: boolean
  /** The newest request; it may have expired. */
  emailChange: EmailChange | null
  passwordHash: string
  profile: ProfileFields & { privacy: boolean }
  /** The newest requests, oldest first, at most `usableResets`; they may have expired. */
  resets: readonly Reset[]
  dueMails: readonly DueMail[]
  sessionsEnd: SessionsEnd
  /** The sessions revoked lately because of theft, as far as it was noted. */
  stolenSessions: readonly string[]
  /** When a mail last told the owner of a theft, or null. */
  theftToldAt: string | null
  /** When the owner was last told that somebody gave the address as theirs, or null. */
  emailWantedAt: string | null
}

export type ActiveAccount = { status: 'active' } & AccountState

/** Somebody's account. A disabled one keeps its names, and is of no use until it is enabled again. */
export type RegisteredAccount = ActiveAccount | ({ status: 'disabled' } & AccountState)

/** `vacant`: nobody registered here, or an attempt to was abandoned. `erased`: all that is known of who did. */
export type Account =
  | { status: 'vacant' }
  | RegisteredAccount
  | { status: 'erased' /** Until then nobody can have the username. */; reservedUntil: string }

/** Where an event stands in its stream: its revision, and its time (ISO 8601). */
export type EventPlace = { revision: number; time: string }

export const noAccount: Account = { status: 'vacant' }
export const usableResets = 3
export const resetPauseSeconds = 60
/** How long it is tried to tell the owner what happened. */
export const noticeLastsSeconds = 7 * 86_400
const rememberedThefts = 20
/** So that nobody fills the owner's mailbox. */
const theftPauseSeconds = 3600
const emailWantedPauseSeconds = 86_400
/** So that nobody can pass for somebody who is just gone. */
export const usernameReservedDays = 30

// --- evolve ----------------------------------------------------------------------------------------------

/** The account after an event. Events that cannot follow the state are refused with an error. */
export function evolve(account: Account, event: AccountEvent, place: EventPlace): Account {
  switch (event.type) {
    case 'UserRegistered':
      return registered(event, place)
    case 'ClaimAbandoned':
      return account
    case 'ProfileEdited': {
      const before = registeredBefore(event, account)
      return { ...before, profile: { ...before.profile, ...event.data } }
    }
    case 'PasswordResetRequested': {
      const before = registeredBefore(event, account)
      const { resetId, expiresAt } = event.data
      const requests = [...before.resets, { resetId, expiresAt, requestedAt: place.time }]
      const superseded = new Set(requests.slice(0, -usableResets).map(reset => reset.resetId))
      const unwanted = unwanting(before, 'superseded', mail => superseded.has(mail.mailId))
      const after = { ...unwanted, resets: requests.slice(-usableResets) }
      return mailing(after, { kind: 'reset' }, { mailId: resetId, to: before.email, place, expiresAt })
    }
    case 'PasswordReset': {
      // The reset was mailed to the present address: another one would have ended it.
      const before = unwanting(registeredBefore(event, account), 'used', mail => mail.kind === 'reset')
      return {
        ...withPassword(before, event.data.passwordHash),
        emailProved: true,
        sessionsEnd: { revision: place.revision, except: null },
      }
    }
    case 'PasswordChanged': {
      const { passwordHash, exceptSession, noticeId: mailId } = event.data
      const before = withPassword(registeredBefore(event, account), passwordHash)
      const after = { ...before, sessionsEnd: { revision: place.revision, except: exceptSession } }
      return mailing(after, { kind: 'passwordChanged' }, { mailId, to: before.email, place })
    }
    case 'PasswordRehashed':
      return { ...registeredBefore(event, account), passwordHash: event.data.passwordHash }
    case 'EmailChangeRequested': {
      const { changeId: mailId, email, expiresAt } = event.data
      const before = withoutEmailChange(registeredBefore(event, account))
      const emailChange = { changeId: mailId, email, expiresAt, requestedAt: place.time }
      const after = { ...before, emailChange }
      return mailing(after, { kind: 'emailConfirmation' }, { mailId, to: email, place, expiresAt })
    }
    case 'EmailChanged': {
      const { email, changeId, noticeId: mailId } = event.data
      const before = registeredBefore(event, account)
      const used = unwanting(before, 'used', mail => mail.mailId === changeId)
      const emailProved = changeId !== null
      // The new address was told nothing yet.
      const after = { ...withoutEmailChange(withoutResets(used)), email, emailProved, theftToldAt: null }
      const isElsewhere = before.email.toLowerCase() !== email.toLowerCase()
      return isElsewhere
        ? mailing(after, { kind: 'emailChanged' }, { mailId, to: before.email, place })
        : after
    }
    case 'EmailLost': {
      const before = registeredBefore(event, account)
      const after = unwanting(withoutResets(before), 'superseded', mail => mail.to === before.email)
      return { ...after, email: '', emailProved: false }
    }
    case 'SessionStolen': {
      const { sessionId, device, addressRange, noticeId: mailId } = event.data
      const before = registeredBefore(event, account)
      const stolenSessions = [...before.stolenSessions, sessionId].slice(-rememberedThefts)
      const { theftToldAt: toldAt } = before
      if (toldAt !== null && place.time < secondsAfter(toldAt, theftPauseSeconds)) {
        return { ...before, stolenSessions }
      }
      const about = { kind: 'sessionStolen', device, addressRange } as const
      const after = { ...before, stolenSessions, theftToldAt: place.time }
      return mailing(after, about, { mailId, to: before.email, place })
    }
    case 'EmailWanted': {
      const before = registeredBefore(event, account)
      const about = { kind: 'emailWanted', for: event.data.for } as const
      const mail = { mailId: event.data.noticeId, to: before.email, place }
      return mailing({ ...before, emailWantedAt: place.time }, about, mail)
    }
    case 'SessionsEnded': {
      const before = registeredBefore(event, account)
      return { ...before, sessionsEnd: { revision: place.revision, except: event.data.exceptSession } }
    }
    case 'AccountDisabled': {
      const before = withoutEmailChange(withoutResets(registeredBefore(event, account)))
      return { ...before, status: 'disabled', sessionsEnd: { revision: place.revision, except: null } }
    }
    case 'AccountEnabled':
      return { ...registeredBefore(event, account), status: 'active' }
    case 'MailSent':
    case 'MailAbandoned': {
      const before = registeredBefore(event, account)
      return { ...before, dueMails: before.dueMails.filter(mail => mail.mailId !== event.data.mailId) }
    }
    // As a rule there is nothing before it any more.
    case 'UserErased':
      return { status: 'erased', reservedUntil: event.data.reservedUntil }
  }
}

function registered(event: UserRegistered, place: EventPlace): RegisteredAccount {
  const { userId, username, email, passwordHash, ...profile } = event.data
  return {
    status: 'active',
    userId,
    username,
    email,
    emailProved: false,
    emailChange: null,
    passwordHash,
    profile: { ...profile, privacy: false },
    resets: [],
    dueMails: [],
    sessionsEnd: { revision: place.revision, except: null },
    stolenSessions: [],
    theftToldAt: null,
    emailWantedAt: null,
  }
}

/** Whoever sets a password may want to shut somebody out: what that one had asked for comes to nothing. */
function withPassword(account: RegisteredAccount, passwordHash: string): RegisteredAccount {
  return { ...withoutEmailChange(withoutResets(account)), passwordHash }
}

function withoutResets(account: RegisteredAccount): RegisteredAccount {
  return { ...unwanting(account, 'superseded', mail => mail.kind === 'reset'), resets: [] }
}

function withoutEmailChange(account: RegisteredAccount): RegisteredAccount {
  const after = unwanting(account, 'superseded', mail => mail.kind === 'emailConfirmation')
  return { ...after, emailChange: null }
}

/** The account with some of its due mails not wanted any more; why is what came first. */
function unwanting(
  account: RegisteredAccount,
  reason: 'used' | 'superseded',
  which: (mail: DueMail) => boolean,
): RegisteredAccount {
  const dueMails = account.dueMails.map(mail =>
    which(mail) && mail.reason === null ? { ...mail, reason } : mail,
  )
  return { ...account, dueMails }
}

/** The account with one more mail due, if there is an address to send it to. Without an expiry it is a notice. */
function mailing(
  account: RegisteredAccount,
  about: MailAbout,
  mail: { mailId: string; to: string; place: EventPlace; expiresAt?: string },
): RegisteredAccount {
  if (mail.to === '') return account
  const { mailId, to, place } = mail
  const expiresAt = mail.expiresAt ?? secondsAfter(place.time, noticeLastsSeconds)
  const due: DueMail = { ...about, mailId, to, askedAt: place.time, expiresAt, reason: null }
  return { ...account, dueMails: [...account.dueMails, due] }
}

function secondsAfter(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString()
}

function registeredBefore(event: AccountEvent, account: Account): RegisteredAccount {
  if (isRegistered(account)) return account
  throw new Error(`expected a registered user before ${event.type}, found none`)
}

/** Whether somebody has the account, disabled or not. */
export function isRegistered(account: Account): account is RegisteredAccount {
  return account.status === 'active' || account.status === 'disabled'
}

// --- decisions -------------------------------------------------------------------------------------------

/** Registers a user on a stream that nobody has used. */
export function registerUser(account: Account, user: UserRegistered['data']): AccountEvent[] {
  if (account.status !== 'vacant') throw new DomainError('invalid_fields')
  return [{ type: 'UserRegistered', data: user }]
}

/** Changes the fields given, those that differ. */
export function editProfile(account: Account, changes: ProfileEdited['data']): AccountEvent[] {
  const { profile } = requireActive(account)
  const changed = Object.fromEntries(
    Object.entries(changes).filter(([field, value]) => profile[field as keyof typeof profile] !== value),
  )
  return Object.keys(changed).length === 0 ? [] : [{ type: 'ProfileEdited', data: changed }]
}

/**
 * Asks for a reset mail; within `resetPauseSeconds` of another request there is nothing to add. Throws `email_unknown` if
 * nobody has the account any more who could be mailed, for nobody in particular asks.
 */
export function requestPasswordReset(
  account: Account,
  request: { resetId: string; now: string; expiresAt: string },
): AccountEvent[] {
  if (account.status !== 'active') throw new DomainError('email_unknown')
  const newest = account.resets.at(-1)
  const pauseEnds = newest ? Date.parse(newest.requestedAt) + resetPauseSeconds * 1000 : 0
  if (Date.parse(request.now) < pauseEnds) return []
  const { resetId, expiresAt } = request
  return [{ type: 'PasswordResetRequested', data: { resetId, expiresAt } }]
}

/** The reset that may be used at `now`, or throws `reset_token_invalid`. */
export function usableReset(account: Account, resetId: string, now: string): Reset {
  const reset =
    account.status === 'active' ? account.resets.find(candidate => candidate.resetId === resetId) : undefined
  if (!reset || Date.parse(reset.expiresAt) <= Date.parse(now)) throw new DomainError('reset_token_invalid')
  return reset
}

/** Sets the new password; uses up every reset and ends every session. */
export function resetPassword(
  account: Account,
  reset: { resetId: string; now: string; passwordHash: string },
): AccountEvent[] {
  const { resetId } = usableReset(account, reset.resetId, reset.now)
  return [{ type: 'PasswordReset', data: { resetId, passwordHash: reset.passwordHash } }]
}

/** Sets another password in a session that goes on; ends the other ones, and what was asked for by mail. */
export function changePassword(
  account: Account,
  change: { passwordHash: string; noticeId: string; asking: AskingSession },
): AccountEvent[] {
  requireLive(account, change.asking)
  const { passwordHash, noticeId, asking } = change
  return [{ type: 'PasswordChanged', data: { passwordHash, exceptSession: asking.sessionId, noticeId } }]
}

/** Replaces the hash that a login's password was found right by; nothing to add if the account has another by now. */
export function rehashPassword(
  account: Account,
  rehash: { verifiedBy: string; passwordHash: string },
): AccountEvent[] {
  const { verifiedBy, passwordHash } = rehash
  if (account.status !== 'active' || account.passwordHash !== verifiedBy) return []
  return [{ type: 'PasswordRehashed', data: { passwordHash } }]
}

/**
 * Asks for an address, which the mail to it has to prove. Nothing to add: it is the account's and proved, or was asked
 * for within `resetPauseSeconds`.
 */
export function requestEmailChange(
  account: Account,
  change: { changeId: string; email: string; now: string; expiresAt: string; asking: AskingSession },
): AccountEvent[] {
  const active = requireLive(account, change.asking)
  const { changeId, email, now, expiresAt } = change
  if (active.email === email && active.emailProved) return []
  const newest = active.emailChange
  const isRepeated = newest?.email === email && now < secondsAfter(newest.requestedAt, resetPauseSeconds)
  return isRepeated ? [] : [{ type: 'EmailChangeRequested', data: { changeId, email, expiresAt } }]
}

/** The change of address that may be confirmed at `now`, or throws `email_token_invalid`. */
export function usableEmailChange(account: Account, changeId: string, now: string): EmailChange {
  const change = account.status === 'active' ? account.emailChange : null
  if (change?.changeId !== changeId || Date.parse(change.expiresAt) <= Date.parse(now)) {
    throw new DomainError('email_token_invalid')
  }
  return change
}

/** Makes the address asked for the account's: the token mailed to it was used. */
export function confirmEmailChange(
  account: Account,
  confirmation: { changeId: string; noticeId: string; now: string },
): AccountEvent[] {
  const { changeId, noticeId, now } = confirmation
  const { email } = usableEmailChange(account, changeId, now)
  return [{ type: 'EmailChanged', data: { email, changeId, noticeId } }]
}

/** Gives up an address that somebody else proved to control; one that is proved, or not the account's, stays. */
export function loseEmail(account: Account, loss: { email: string; takenBy: number }): AccountEvent[] {
  const isTheirs = isRegistered(account) && account.email === loss.email && !account.emailProved
  return isTheirs ? [{ type: 'EmailLost', data: { takenBy: loss.takenBy } }] : []
}

/** Notes, once, that a session was revoked because of theft; its owner gets one mail of it an hour. */
export function noteTheft(account: Account, theft: SessionStolen['data']): AccountEvent[] {
  const isNews = isRegistered(account) && !account.stolenSessions.includes(theft.sessionId)
  return isNews ? [{ type: 'SessionStolen', data: theft }] : []
}

/** Notes that somebody else gave the account's address as theirs, so that the owner is told, at most once a day. */
export function noteWantedEmail(
  account: Account,
  wanted: EmailWanted['data'] & { now: string },
): AccountEvent[] {
  if (!isRegistered(account)) return []
  const { now, ...data } = wanted
  const { emailWantedAt: toldAt } = account
  const isNews = toldAt === null || now >= secondsAfter(toldAt, emailWantedPauseSeconds)
  return isNews ? [{ type: 'EmailWanted', data }] : []
}

/** Ends every session but the one that asks, which must be live still. */
export function endOtherSessions(account: Account, asking: AskingSession): AccountEvent[] {
  requireLive(account, asking)
  return [{ type: 'SessionsEnded', data: { exceptSession: asking.sessionId } }]
}

/** Whether a session begun at an account's revision goes on after what ended the account's sessions. */
export function outlives(session: AskingSession, end: SessionsEnd): boolean {
  return session.accountRevision >= end.revision || session.sessionId === end.except
}

/** The account, if the session that asks was not ended with the others. Throws `account_gone`, `session_ended`. */
function requireLive(account: Account, asking: AskingSession): ActiveAccount {
  const active = requireActive(account)
  if (!outlives(asking, active.sessionsEnd)) throw new DomainError('session_ended')
  return active
}

/** Shuts an account, by an operator's hand: nobody can log in, and every session ends. */
export function disableAccount(account: Account): AccountEvent[] {
  return requireRegistered(account).status === 'disabled' ? [] : [{ type: 'AccountDisabled', data: {} }]
}

/** Opens an account that was disabled. */
export function enableAccount(account: Account): AccountEvent[] {
  return requireRegistered(account).status === 'active' ? [] : [{ type: 'AccountEnabled', data: {} }]
}

/** Ends every session, by an operator's hand. */
export function signOut(account: Account): AccountEvent[] {
  requireRegistered(account)
  return [{ type: 'SessionsEnded', data: { exceptSession: null } }]
}

/** Sets the address, or none (''), by an operator's hand, which proves nothing. The old address is told. */
export function setEmail(account: Account, change: { email: string; noticeId: string }): AccountEvent[] {
  if (requireRegistered(account).email === change.email) return []
  return [{ type: 'EmailChanged', data: { ...change, changeId: null } }]
}

/** Erases an account at the wish of who has it, in a session that goes on. */
export function eraseAccount(
  account: Account,
  erasure: { now: string; asking: AskingSession },
): AccountEvent[] {
  requireLive(account, erasure.asking)
  return [erased(erasure.now)]
}

/** Erases an account, by an operator's hand; one that is erased stays as it is. */
export function eraseByOperator(account: Account, now: string): AccountEvent[] {
  if (account.status === 'erased') return []
  requireRegistered(account)
  return [erased(now)]
}

function erased(now: string): AccountEvent {
  const reservedUntil = secondsAfter(now, usernameReservedDays * 86_400)
  return { type: 'UserErased', data: { reservedUntil } }
}

/** Notes that a due mail was sent; one that is not due any more needs no note. */
export function recordMailSent(
  account: Account,
  mail: { mailId: string; messageId: string },
): AccountEvent[] {
  return dueMail(account, mail.mailId) ? [{ type: 'MailSent', data: mail }] : []
}

/** Notes that a due mail is not wanted any more: its reset was used, superseded, or has expired at `now`. */
export function abandonMail(account: Account, mail: { mailId: string; now: string }): AccountEvent[] {
  const due = dueMail(account, mail.mailId)
  const reason = due && unwantedMail(due, mail.now)
  return reason ? [{ type: 'MailAbandoned', data: { mailId: mail.mailId, reason } }] : []
}

/** The mail if it is neither sent nor abandoned. */
export function dueMail(account: Account, mailId: string): DueMail | null {
  if (!isRegistered(account)) return null
  return account.dueMails.find(mail => mail.mailId === mailId) ?? null
}

/** Why a due mail should not be sent at `now`, or null if it should. */
export function unwantedMail(mail: DueMail, now: string): 'used' | 'superseded' | 'expired' | null {
  if (mail.reason) return mail.reason
  return Date.parse(mail.expiresAt) <= Date.parse(now) ? 'expired' : null
}

/** The id of the mail that an event asks for, or null. */
export function mailAskedForBy(event: RosterEvent): string | null {
  switch (event.type) {
    case 'PasswordResetRequested':
      return event.data.resetId
    case 'EmailChangeRequested':
      return event.data.changeId
    case 'PasswordChanged':
    case 'EmailChanged':
    case 'SessionStolen':
    case 'EmailWanted':
      return event.data.noticeId
    default:
      return null
  }
}

/** The account if somebody has it, disabled or not, else throws `account_gone`. */
export function requireRegistered(account: Account): RegisteredAccount {
  if (!isRegistered(account)) throw new DomainError('account_gone')
  return account
}

/** The account if somebody has it and may use it, else throws `account_gone`. */
export function requireActive(account: Account): ActiveAccount {
  if (account.status !== 'active') throw new DomainError('account_gone')
  return account
}
