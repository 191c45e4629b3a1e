/** What the load was told, and so what must be there after any fault. */

/** `sure` was acknowledged last; `maybe` was sent after it and got no answer, so either may be true. */
export type Uncertain = { sure: string; maybe: string | null }

export const editedFields = ['first_name', 'location', 'bio'] as const
export type EditedField = (typeof editedFields)[number]

export type Attempt = { username: string; email: string; password: string }

export type Session = { access: string; refresh: string }

/** An account whose registration was acknowledged, or found done. */
export type Member = {
  username: string
  email: string
  password: Uncertain
  /** The password before the last reset. */
  former: string | null
  fields: Record<EditedField, Uncertain>
  sessions: Session[]
  /** Sessions that an acknowledged reset ended. */
  ended: Session[]
  reset: 'none' | 'mail is due' | 'done'
  /** Its erasure was asked for and got no answer. */
  mayBeErased: boolean
  /** What is being done to it. A reset waits for all the rest, and all the rest for a reset. */
  busy: Set<string>
  touched: boolean
}

export type AcknowledgedEdit = { username: string; field: EditedField; value: string }

export type Counts = {
  requests: number
  unanswered: number
  registrations: number
  edits: number
  logins: number
  refreshes: number
  resets: number
  erasures: number
}

export type Ledger = {
  members: Member[]
  /** Those of whom nothing may be left. */
  erased: Member[]
  /** Registrations without an answer. */
  unresolved: Attempt[]
  edits: AcknowledgedEdit[]
  counts: Counts
  /** What must never happen, in words. */
  violations: string[]
}

export function createLedger(): Ledger {
  return { members: [], erased: [], unresolved: [], edits: [], counts: noCounts(), violations: [] }
}

export function noCounts(): Counts {
  const none = { registrations: 0, edits: 0, logins: 0, refreshes: 0, resets: 0, erasures: 0 }
  return { requests: 0, unanswered: 0, ...none }
}

export function newMember({ username, email, password }: Attempt): Member {
  return {
    username,
    email,
    password: { sure: password, maybe: null },
    former: null,
    fields: { first_name: blank(), location: blank(), bio: blank() },
    sessions: [],
    ended: [],
    reset: 'none',
    mayBeErased: false,
    busy: new Set(),
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
  member.former = member.password.sure
  member.password = { sure: password, maybe: null }
  member.ended.push(...member.sessions)
  member.sessions = []
  member.reset = 'done'
}

/** Notes an acknowledged erasure: nothing is expected of the account any more, but that it is gone. */
export function wasErased(ledger: Ledger, member: Member): void {
  ledger.members.splice(ledger.members.indexOf(member), 1)
  ledger.erased.push(member)
  ledger.edits = ledger.edits.filter(({ username }) => username !== member.username)
  ledger.counts.erasures++
}
