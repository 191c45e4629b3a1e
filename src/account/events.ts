/**
 * Every event that Roster stores. These names and fields are the storage format for ever: a change of shape
 * is a new version with an upcaster, never an edit. Dates are ISO 8601 in UTC.
 */

type Stored<Type extends string, Data> = { type: Type; data: Data }

export type ProfileFields = {
  firstName: string
  lastName: string
  bio: string
  favSport1: string
  favSport2: string
  favSport3: string
  location: string
  avatar: string
}

export type UserRegistered = Stored<
  'UserRegistered',
  { userId: number; username: string; email: string; passwordHash: string } & ProfileFields
>
/** Closes a claim: the attempt that would have taken a name to this stream at this revision cannot any more. */
export type ClaimAbandoned = Stored<'ClaimAbandoned', { reason: 'refused' | 'overtaken' }>
/** Only the fields that changed. */
export type ProfileEdited = Stored<'ProfileEdited', Partial<ProfileFields> & { privacy?: boolean }>
export type PasswordResetRequested = Stored<'PasswordResetRequested', { resetId: string; expiresAt: string }>
export type PasswordReset = Stored<'PasswordReset', { resetId: string; passwordHash: string }>
/** Ends every session begun before, but for one; `noticeId` is the mail that tells the owner. */
export type PasswordChanged = Stored<
  'PasswordChanged',
  { passwordHash: string; exceptSession: string | null; noticeId: string }
>
/** The same password, hashed by today's rules, as a login found it hashed by others. Ends nothing. */
export type PasswordRehashed = Stored<'PasswordRehashed', { passwordHash: string }>
export type EmailChangeRequested = Stored<
  'EmailChangeRequested',
  { changeId: string; email: string; expiresAt: string }
>
/** `changeId` is the request whose token was used, null if nobody proved the address; `noticeId` tells the old one. */
export type EmailChanged = Stored<
  'EmailChanged',
  { email: string; changeId: string | null; noticeId: string }
>
/** The user `takenBy` proved to control an address that this account never proved. */
export type EmailLost = Stored<'EmailLost', { takenBy: number }>
/** A copied refresh token was presented, and its session was revoked; `noticeId` is the mail that tells the owner. */
export type SessionStolen = Stored<
  'SessionStolen',
  { sessionId: string; device: string; addressRange: string; noticeId: string }
>
/**
 * Somebody gave this account's address as theirs, and was not told that it is taken; `noticeId` is the mail that tells the
 * owner. Only older logs have it for a `change`: that is told of by the mailer, from the request of the account that asks.
 */
export type EmailWanted = Stored<'EmailWanted', { for: 'registration' | 'change'; noticeId: string }>
/** By an operator: nobody can log in any more, and every session ends. */
export type AccountDisabled = Stored<'AccountDisabled', Record<string, never>>
export type AccountEnabled = Stored<'AccountEnabled', Record<string, never>>
/** Ends every session begun before, but for one. */
export type SessionsEnded = Stored<'SessionsEnded', { exceptSession: string | null }>
/**
 * The last event of an account, and all that is kept of it: what came before is truncated, sessions included. Until
 * `reservedUntil` nobody can have the username.
 */
export type UserErased = Stored<'UserErased', { reservedUntil: string }>
export type MailSent = Stored<'MailSent', { mailId: string; messageId: string }>
export type MailAbandoned = Stored<
  'MailAbandoned',
  { mailId: string; reason: 'expired' | 'used' | 'superseded' }
>

export type AccountEvent =
  | UserRegistered
  | ClaimAbandoned
  | ProfileEdited
  | PasswordResetRequested
  | PasswordReset
  | PasswordChanged
  | PasswordRehashed
  | EmailChangeRequested
  | EmailChanged
  | EmailLost
  | SessionStolen
  | EmailWanted
  | AccountDisabled
  | AccountEnabled
  | SessionsEnded
  | MailSent
  | MailAbandoned
  | UserErased

/** `stream` takes the name of this claim's stream with its event after revision `at` (-1: its first). */
export type NameClaimed = Stored<'NameClaimed', { stream: string; at: number }>

/** The state that every session event repeats, so that a refresh needs the last one only. */
export type SessionState = {
  userId: number
  username: string
  startedAt: string
  /** The request that began it, '' if that is not known. */
  startedBy: string
  /** What the client calls itself and where it asked from at login or its last refresh; '' if that is not known. */
  device: string
  addressRange: string
  /** The account's revision at login: the session is dead once the account's `sessionsEnd` lies behind it. */
  accountRevision: number
  /** The counter of the newest refresh token. */
  current: number
  currentIssuedAt: string
  currentExpiresAt: string
  /** The counter last rotated from, null before the first rotation. */
  presented: number | null
  /** Tokens replaced lately, those within the grace period: counters `first` to `last`, `from` … `until`. */
  replaced: { first: number; last: number; from: string; until: string }[]
}

export type SessionStarted = Stored<'SessionStarted', SessionState>
export type SessionRefreshed = Stored<'SessionRefreshed', SessionState>
export type SessionRevoked = Stored<
  'SessionRevoked',
  { userId: number; reason: 'theft' | 'logout' | 'ended' }
>
/** Nothing is kept of the session but that it was; its earlier events are truncated. */
export type SessionForgotten = Stored<'SessionForgotten', { userId: number }>
export type SessionEvent = SessionStarted | SessionRefreshed | SessionRevoked | SessionForgotten

/** User ids `first` to `first + size - 1` belong to who wrote this. */
export type IdBlockClaimed = Stored<'IdBlockClaimed', { first: number; size: number }>

/** What this log is: its UUID, and the key (base64url, 32 bytes) under which names become stream names. */
export type LogCreated = Stored<'LogCreated', { logId: string; namesKey: string }>

export type RosterEvent = AccountEvent | NameClaimed | SessionEvent | IdBlockClaimed | LogCreated
export type RosterEventType = RosterEvent['type']
