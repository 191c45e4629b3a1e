import { DomainError } from './domain-error.ts'
import type { AccountEvent, ProfileEdited, ProfileFields, UserRegistered } from './events.ts'

// --- state -----------------------------------------------------------------------------------------------

export type Reset = { resetId: string; requestedAt: string; expiresAt: string }

/** A mail asked for and neither sent nor abandoned yet. `reason` says why it is not wanted any more. */
export type DueMail = { mailId: string; expiresAt: string; reason: 'used' | 'superseded' | null }

/** Sessions begun before the account's `revision` are dead, but for the one excepted. */
export type SessionsEnd = { revision: number; except: string | null }

/** The session in which a command is given, and the account's revision when it began. */
export type AskingSession = { sessionId: string; accountRevision: number }

export type ActiveAccount = {
  status: 'active'
  userId: number
  username: string
  email: string
  passwordHash: string
  profile: ProfileFields & { privacy: boolean }
  /** The newest requests, oldest first, at most `usableResets`; they may have expired. */
  resets: readonly Reset[]
  dueMails: readonly DueMail[]
  sessionsEnd: SessionsEnd
}

/** `vacant`: nobody registered here, or an attempt to was abandoned. */
export type Account = { status: 'vacant' } | ActiveAccount

/** Where an event stands in its stream: its revision, and its time (ISO 8601). */
export type EventPlace = { revision: number; time: string }

export const noAccount: Account = { status: 'vacant' }
export const usableResets = 3
export const resetPauseSeconds = 60

// --- evolve ----------------------------------------------------------------------------------------------

/** The account after an event. Events that cannot follow the state are refused with an error. */
export function evolve(account: Account, event: AccountEvent, place: EventPlace): Account {
  switch (event.type) {
    case 'UserRegistered':
      return registered(event, place)
    case 'ClaimAbandoned':
      return account
    case 'ProfileEdited': {
      const active = activeBefore(event, account)
      return { ...active, profile: { ...active.profile, ...event.data } }
    }
    case 'PasswordResetRequested': {
      const active = activeBefore(event, account)
      const { resetId, expiresAt } = event.data
      const requests = [...active.resets, { resetId, expiresAt, requestedAt: place.time }]
      const superseded = new Set(requests.slice(0, -usableResets).map(reset => reset.resetId))
      const due: DueMail[] = active.dueMails.map(mail =>
        superseded.has(mail.mailId) && mail.reason === null ? { ...mail, reason: 'superseded' } : mail,
      )
      return {
        ...active,
        resets: requests.slice(-usableResets),
        dueMails: [...due, { mailId: resetId, expiresAt, reason: null }],
      }
    }
    case 'PasswordReset': {
      const active = activeBefore(event, account)
      return {
        ...active,
        passwordHash: event.data.passwordHash,
        resets: [],
        dueMails: active.dueMails.map(mail => ({ ...mail, reason: mail.reason ?? 'used' })),
        sessionsEnd: { revision: place.revision, except: null },
      }
    }
    case 'SessionsEnded': {
      const active = activeBefore(event, account)
      return { ...active, sessionsEnd: { revision: place.revision, except: event.data.exceptSession } }
    }
    case 'MailSent':
    case 'MailAbandoned': {
      const active = activeBefore(event, account)
      return { ...active, dueMails: active.dueMails.filter(mail => mail.mailId !== event.data.mailId) }
    }
  }
}

function registered(event: UserRegistered, place: EventPlace): ActiveAccount {
  const { userId, username, email, passwordHash, ...profile } = event.data
  return {
    status: 'active',
    userId,
    username,
    email,
    passwordHash,
    profile: { ...profile, privacy: false },
    resets: [],
    dueMails: [],
    sessionsEnd: { revision: place.revision, except: null },
  }
}

function activeBefore(event: AccountEvent, account: Account): ActiveAccount {
  if (account.status === 'active') return account
  throw new Error(`expected an active account before ${event.type}, found a ${account.status} one`)
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

/** Asks for a reset mail; within `resetPauseSeconds` of another request there is nothing to add. */
export function requestPasswordReset(
  account: Account,
  request: { resetId: string; now: string; expiresAt: string },
): AccountEvent[] {
  const newest = requireActive(account).resets.at(-1)
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
  if (account.status !== 'active') return null
  return account.dueMails.find(mail => mail.mailId === mailId) ?? null
}

/** Why a due mail should not be sent at `now`, or null if it should. */
export function unwantedMail(mail: DueMail, now: string): 'used' | 'superseded' | 'expired' | null {
  if (mail.reason) return mail.reason
  return Date.parse(mail.expiresAt) <= Date.parse(now) ? 'expired' : null
}

/** The account if somebody has it, else throws `account_gone`. */
export function requireActive(account: Account): ActiveAccount {
  if (account.status !== 'active') throw new DomainError('account_gone')
  return account
}
