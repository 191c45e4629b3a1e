/** What the load was told, and so what must be there after any fault. */

/** `sure` was acknowledged last; `maybe` was sent after it and got no answer, so either may be true. */
export type Uncertain = { sure: string; maybe: string | null }

export const editedFields = ['first_name', 'location', 'bio'] as const
export type EditedField = (typeof editedFields)[number]

/** `key`: what it was sent with, to be sent with again. */
export type Attempt = { username: string; email: string; password: string; key?: string | null }

export type Session = { access: string; refresh: string }

/** An account whose registration was acknowledged, or found done. */
export type Member = {
  username: string
  /** That of the registration. */
  email: string
  /** The present one. */
  address: string
  /** The one that an acknowledged change is to make the present one, by a mail that is due. */
  newAddress: string | null
  password: Uncertain
  /** Where a password that may be there comes from a change, the session that goes on. */
  changingIn: Session | null
  /** The password before the last reset or change. */
  former: string | null
  fields: Record<EditedField, Uncertain>
  /** Edits with a key that got no answer: they are sent again. */
  unanswered: { field: EditedField; value: string; key: string }[]
  sessions: Session[]
  /** Sessions whose end was acknowledged. */
  ended: Session[]
  /** Sessions whose end was asked for and got no answer. */
  ending: Session[]
  reset: 'none' | 'mail is due' | 'done' | 'not wanted'
  /** Acknowledged ones, or found done. */
  passwordChanges: number
  addressChanges: number
  /** Its erasure was asked for and got no answer. */
  mayBeErased: boolean
  /** What an operator began and has not ended yet. */
  operatorDue: 'sign-out' | 'disable' | null
  /** What is being done to it. */
  busy: Set<string>
  /** By something that waited for all the rest, and all the rest for it. */
  isTaken: boolean
  touched: boolean
}

export type Edit = { username: string; field: EditedField; value: string }

export type Counts = {
  requests: number
  unanswered: number
  registrations: number
  edits: number
  logins: number
  refreshes: number
  resets: number
  passwordChanges: number
  addressChanges: number
  endings: number
  operations: number
  erasures: number
}

export type Ledger = {
  members: Member[]
  /** Those of whom nothing may be left. */
  erased: Member[]
  /** Registrations without an answer. */
  unresolved: Attempt[]
  edits: Edit[]
  /** Edits that were refused. */
  refused: Edit[]
  /** Edits of one state, of which one can be done. */
  rivals: Edit[][]
  counts: Counts
  /** What must never happen, in words. */
  violations: string[]
}

export function createLedger(): Ledger {
  return {
    ...{ members: [], erased: [], unresolved: [], edits: [], refused: [], rivals: [] },
    ...{ counts: noCounts(), violations: [] },
  }
}

export function noCounts(): Counts {
  return {
    ...{ requests: 0, unanswered: 0, registrations: 0, edits: 0, logins: 0, refreshes: 0, resets: 0 },
    ...{ passwordChanges: 0, addressChanges: 0, endings: 0, operations: 0, erasures: 0 },
  }
}

export function newMember({ username, email, password }: Attempt): Member {
  return {
    username,
    email,
    address: email,
    newAddress: null,
    password: { sure: password, maybe: null },
    changingIn: null,
    former: null,
    fields: { first_name: blank(), location: blank(), bio: blank() },
    unanswered: [],
    sessions: [],
    ended: [],
    ending: [],
    reset: 'none',
    passwordChanges: 0,
    addressChanges: 0,
    mayBeErased: false,
    operatorDue: null,
    busy: new Set(),
    isTaken: false,
    touched: true,
  }
}

const blank = (): Uncertain => ({ sure: '', maybe: null })

/** Whether `value` may be what is there; from then on it is sure. */
export function settle(uncertain: Uncertain, value: unknown): boolean {
  if (value === uncertain.maybe && uncertain.maybe !== null) uncertain.sure = uncertain.maybe
  uncertain.maybe = null
  return value === uncertain.sure
}

/** Notes an acknowledged reset: the new password counts, and no session from before it. */
export function passwordWasReset(member: Member, password: string): void {
  hasPassword(member, password)
  sessionsEnded(member, member.sessions)
  member.reset = 'done'
}

/** Notes an acknowledged change: the new password counts, and of the sessions from before it the one that asked. */
export function passwordWasChanged(ledger: Ledger, member: Member, password: string, asking: Session): void {
  hasPassword(member, password)
  sessionsEnded(
    member,
    member.sessions.filter(session => session !== asking),
  )
  member.passwordChanges++
  ledger.counts.passwordChanges++
}

function hasPassword(member: Member, password: string): void {
  member.former = member.password.sure
  member.password = { sure: password, maybe: null }
  member.changingIn = null
}

/** Notes the acknowledged end of some sessions. */
export function sessionsEnded(member: Member, ended: readonly Session[]): void {
  member.sessions = member.sessions.filter(session => !ended.includes(session))
  member.ended.push(...ended)
}

/** Notes an acknowledged erasure: nothing is expected of the account any more, but that it is gone. */
export function wasErased(ledger: Ledger, member: Member): void {
  ledger.members.splice(ledger.members.indexOf(member), 1)
  ledger.erased.push(member)
  ledger.edits = ledger.edits.filter(({ username }) => username !== member.username)
  ledger.counts.erasures++
}
