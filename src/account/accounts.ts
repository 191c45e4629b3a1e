import type { Actor, JsonObject, Revision } from '../event-store/event-store.ts'
import type { EmailChange } from './account.ts'
import type { FieldProblem } from './domain-error.ts'
import type { ProfileFields, SessionState } from './events.ts'
import type { Client } from './sessions.ts'

/**
 * Of the request that a command serves. `deadline` is in `performance.now()` milliseconds. `idempotencyKey`: a command
 * that was done with the same key is answered as it was then, and not done again; throws `key_reused` if that asked
 * for something else. `permit`: asked once nothing else speaks against the command, before it does anything; throws if
 * it may not be done. Only a login and changes of password and address ask.
 */
export type CommandContext = {
  requestId: string
  deadline: number
  idempotencyKey?: string
  permit?(account: { email: string }): Promise<unknown>
}

export type TokenPair = { refresh: string; access: string }

/** What a verified access token says. */
export type AccessClaims = { userId: number; username: string; sessionId: string }

/** A session that was not revoked by itself, as a read model knows it. */
export type BegunSession = { id: string; accountRevision: number }

export type NewUser = { username: string; email: string; password: string } & ProfileFields

export type ProfileChanges = Partial<ProfileFields> & { privacy?: boolean }

/** The account's profile as its owner sees it, folded from the log. */
export type OwnProfile = { id: number; username: string; email: string; privacy: boolean } & ProfileFields

/** All that the log tells of a user but hashes of passwords. Times are ISO 8601. */
export type ExportedUser = {
  exportedAt: string
  registeredAt: string
  profile: OwnProfile
  emailProved: boolean
  emailChange: EmailChange | null
  /** Every name that the account ever had; `claimedAt` is null if the log does not tell. */
  names: { kind: 'username' | 'email'; name: string; claimedAt: string | null }[]
  /** `endedAt`: when it was revoked, or ended with others; null if it was not. */
  sessions: {
    id: string
    device: string
    addressRange: string
    startedAt: string
    lastUsedAt: string
    expiresAt: string
    endedAt: string | null
  }[]
  events: {
    revision: number
    type: string
    time: string
    actor: Actor
    requestId: string
    data: JsonObject
  }[]
}

/** `visible`: the read models show it already, on every node; otherwise it is durable, and they will soon. */
export type Written<T> = { value: T; visible: boolean }

/**
 * The write side, as the HTTP routes see it. All commands may throw DomainError, Overloaded (full hash queue,
 * deadline passed) and StoreUnavailable; none of them reads a read model.
 */
export interface Accounts {
  /**
   * What is wrong with a registration beyond the shape of its fields: names taken (looked up if given) and the
   * password rules (applied if given).
   */
  registrationProblems(user: Partial<NewUser>, context: CommandContext): Promise<FieldProblem[]>
  /** Throws `invalid_fields` with what `registrationProblems` finds, and with names that were taken meanwhile. */
  registerUser(user: NewUser, context: CommandContext): Promise<Written<OwnProfile>>

  /** The id of who has a username, or null. `deadline` is in `performance.now()` milliseconds. */
  findUser(username: string, deadline: number): Promise<number | null>

  /** Throws `no_active_account`, in the same time whatever was wrong. */
  obtainTokens(
    login: { username: string; password: string } & Client,
    context: CommandContext,
  ): Promise<TokenPair>
  /** Throws `token_invalid` or `token_wrong_type`. */
  refreshTokens(presented: { refresh: string } & Client, context: CommandContext): Promise<TokenPair>
  /** Ends the session of a refresh token; a dead token ends nothing. Throws `token_wrong_type`. */
  revokeToken(refresh: string, context: CommandContext): Promise<Written<null>>

  /** Those of a user's sessions that did not end with others. Throws `account_gone`. */
  outlivingAmong<S extends BegunSession>(
    userId: number,
    begun: readonly S[],
    context: Pick<CommandContext, 'deadline'>,
  ): Promise<S[]>
  /** The session that asks, from the log. Throws `session_ended`. */
  ownSession(claims: AccessClaims, context: CommandContext): Promise<SessionState>
  /** Throws `session_unknown` unless it is a live session of the same user. The session that asks is checked here, too. */
  endSession(claims: AccessClaims, sessionId: string, context: CommandContext): Promise<Written<null>>
  /** Ends all of the user's sessions but the one that asks. */
  endOtherSessions(claims: AccessClaims, context: CommandContext): Promise<void>

  /** Throws `email_unknown`. */
  requestPasswordReset(email: string, context: CommandContext): Promise<void>
  /** Throws `reset_token_invalid`, then `invalid_fields` with problems of `password`. */
  confirmPasswordReset(reset: { token: string; password: string }, context: CommandContext): Promise<void>
  /** Throws `reset_token_invalid`. */
  validateResetToken(token: string, context: CommandContext): Promise<void>

  /** Throws `invalid_fields` with problems of `old_password` and `new_password`. */
  changePassword(
    claims: AccessClaims,
    change: { oldPassword: string; newPassword: string },
    context: CommandContext,
  ): Promise<void>
  /** Throws `invalid_fields` with problems of `password` and `email`. */
  requestEmailChange(
    claims: AccessClaims,
    change: { password: string; email: string },
    context: CommandContext,
  ): Promise<void>
  /** Throws `email_token_invalid`. */
  confirmEmailChange(token: string, context: CommandContext): Promise<Written<null>>

  /** Verifies an access token alone, without any store. Throws `token_invalid` or `token_wrong_type`. */
  readAccessToken(token: string): AccessClaims
  /** For commands: the account still exists (`account_gone`) and the session was not ended (`session_ended`). */
  requireActive(claims: AccessClaims, context: CommandContext): Promise<void>

  /** Throws `revision_moved` if the account is at a revision that is not `expected`. */
  editProfile(
    claims: AccessClaims,
    changes: ProfileChanges,
    context: CommandContext,
    expected?: (revision: Revision) => boolean,
  ): Promise<Written<OwnProfile> & { revision: Revision }>
  /** `sessionIds`: the user's sessions that read models know of. Throws `account_gone`. */
  exportUser(
    claims: AccessClaims,
    sessionIds: readonly string[],
    context: CommandContext,
  ): Promise<ExportedUser>
  /** Throws `invalid_fields` with a problem of `password`, and `revision_moved` as an edit does. */
  eraseUser(
    claims: AccessClaims,
    password: string,
    context: CommandContext,
    expected?: (revision: Revision) => boolean,
  ): Promise<Written<null>>
}
