import { type Account, evolve as evolveAccount, noAccount } from './account.ts'
import type { AccountEvent, RosterEvent, SessionEvent } from './events.ts'
import type { Aggregate } from './fold-stream.ts'
import { evolve as evolveSession, noSession, type Session } from './sessions.ts'

const accountEvents: Record<AccountEvent['type'], true> = {
  UserRegistered: true,
  ClaimAbandoned: true,
  ProfileEdited: true,
  PasswordResetRequested: true,
  PasswordReset: true,
  PasswordChanged: true,
  PasswordRehashed: true,
  EmailChangeRequested: true,
  EmailChanged: true,
  EmailLost: true,
  SessionStolen: true,
  EmailWanted: true,
  AccountDisabled: true,
  AccountEnabled: true,
  SessionsEnded: true,
  MailSent: true,
  MailAbandoned: true,
  UserErased: true,
}

const sessionEvents: Record<SessionEvent['type'], true> = {
  SessionStarted: true,
  SessionRefreshed: true,
  SessionRevoked: true,
  SessionForgotten: true,
}

export const accounts: Aggregate<Account, AccountEvent> = {
  name: 'account',
  initial: noAccount,
  evolve: evolveAccount,
  accepts: (event: RosterEvent): event is AccountEvent => Object.hasOwn(accountEvents, event.type),
}

export const sessions: Aggregate<Session, SessionEvent> = {
  name: 'session',
  initial: noSession,
  evolve: evolveSession,
  accepts: (event: RosterEvent): event is SessionEvent => Object.hasOwn(sessionEvents, event.type),
  lastEventIsState: true,
}

/** The stream of an account: `user-<id>`. */
export function accountStream(userId: number): string {
  return `user-${userId}`
}

/** The stream of a session: `session-<uuid>`. */
export function sessionStream(sessionId: string): string {
  return `session-${sessionId}`
}

/** The session of a stream `session-<uuid>`. */
export function sessionIdOf(stream: string): string {
  return stream.slice('session-'.length)
}
