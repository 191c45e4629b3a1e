import { outlives, type SessionsEnd } from './account.ts'
import type { SessionEvent, SessionState } from './events.ts'

// --- state -----------------------------------------------------------------------------------------------

export type Session =
  | { status: 'none' }
  | { status: 'revoked' }
  | { status: 'forgotten' }
  | ({ status: 'live' } & SessionState)

/** Whose hands a session is in: what the client calls itself, and the range of its address. */
export type Client = Pick<SessionState, 'device' | 'addressRange'>

export const noSession: Session = { status: 'none' }

/** How a refresh ended. `rotated` and `again` both give out the token of the state's current counter. */
export type Refresh = { outcome: 'rotated' | 'again' | 'theft'; events: SessionEvent[] }

export type RefreshTimes = { now: string; graceSeconds: number; refreshTtlSeconds: number }

// --- evolve ----------------------------------------------------------------------------------------------

/** The session after an event. Every event but the last one repeats the whole state. */
export function evolve(_session: Session, event: SessionEvent): Session {
  switch (event.type) {
    case 'SessionStarted':
    case 'SessionRefreshed':
      return { status: 'live', ...event.data }
    case 'SessionRevoked':
      return { status: 'revoked' }
    case 'SessionForgotten':
      return { status: 'forgotten' }
  }
}

// --- decisions -------------------------------------------------------------------------------------------

/** Begins a session with refresh token 0. */
export function startSession(
  login: { userId: number; username: string; accountRevision: number; startedBy: string } & Client,
  times: { now: string; refreshTtlSeconds: number },
): SessionEvent[] {
  const data: SessionState = {
    ...login,
    startedAt: times.now,
    current: 0,
    currentIssuedAt: times.now,
    currentExpiresAt: after(times.now, times.refreshTtlSeconds),
    presented: null,
    replaced: [],
  }
  return [{ type: 'SessionStarted', data }]
}

/**
 * What presenting refresh token `counter` does. The current one rotates. One replaced within the grace period gives
 * the current one again: a lost answer, another tab, a late duplicate. The one last rotated from rotates once
 * more: the token in between never arrived. Anything else was stolen, and the session ends.
 */
export function refreshSession(
  session: SessionState,
  presented: { counter: number } & Client,
  times: RefreshTimes,
): Refresh {
  const { counter, device, addressRange } = presented
  const now = Date.parse(times.now)
  const withinGrace = (time: string) => Date.parse(time) > now - times.graceSeconds * 1000
  const replaced = session.replaced.filter(tokens => withinGrace(tokens.until))
  const replacedLately = replaced.some(tokens => tokens.first <= counter && counter <= tokens.last)
  const presentedLately = counter === session.presented && withinGrace(session.currentIssuedAt)
  if (replacedLately || presentedLately) return { outcome: 'again', events: [] }
  if (counter !== session.current && counter !== session.presented) {
    const { userId } = session
    return { outcome: 'theft', events: [{ type: 'SessionRevoked', data: { userId, reason: 'theft' } }] }
  }
  const data: SessionState = {
    userId: session.userId,
    username: session.username,
    startedAt: session.startedAt,
    startedBy: session.startedBy,
    device,
    addressRange,
    accountRevision: session.accountRevision,
    current: session.current + 1,
    currentIssuedAt: times.now,
    currentExpiresAt: after(times.now, times.refreshTtlSeconds),
    presented: counter,
    replaced: withReplacement(replaced, session.current, times),
  }
  return { outcome: 'rotated', events: [{ type: 'SessionRefreshed', data }] }
}

/** A client that refreshes in a tight loop must not make its events grow: what is close in time is one entry. */
function withReplacement(
  replaced: SessionState['replaced'],
  counter: number,
  { now, graceSeconds }: RefreshTimes,
): SessionState['replaced'] {
  const newest = replaced.at(-1)
  if (newest && Date.parse(now) - Date.parse(newest.from) < (graceSeconds * 1000) / 16) {
    return [...replaced.slice(0, -1), { ...newest, last: counter, until: now }]
  }
  return [...replaced, { first: counter, last: counter, from: now, until: now }]
}

/** Ends a session of this user for good; one that is over already, or somebody else's, stays as it is. */
export function revokeSession(
  session: Session,
  userId: number,
  reason: 'theft' | 'logout' | 'ended',
): SessionEvent[] {
  if (session.status !== 'live' || session.userId !== userId) return []
  return [{ type: 'SessionRevoked', data: { userId, reason } }]
}

/** Forgets a session that was revoked, or whose last token expired before `expiredBefore`. */
export function forgetSession(session: Session, userId: number, expiredBefore: string): SessionEvent[] {
  const isOver =
    session.status === 'revoked' ||
    (session.status === 'live' && Date.parse(session.currentExpiresAt) <= Date.parse(expiredBefore))
  return isOver ? [{ type: 'SessionForgotten', data: { userId } }] : []
}

/** Forgets a session of a user who was erased, live or not. */
export function eraseSession(session: Session, userId: number): SessionEvent[] {
  const isTheirs = session.status === 'revoked' || (session.status === 'live' && session.userId === userId)
  return isTheirs ? [{ type: 'SessionForgotten', data: { userId } }] : []
}

/** Whether a session outlived what ended the account's sessions. */
export function isLive(
  session: Session,
  sessionId: string,
  sessionsEnd: SessionsEnd,
): session is Session & { status: 'live' } {
  if (session.status !== 'live') return false
  return outlives({ sessionId, accountRevision: session.accountRevision }, sessionsEnd)
}

function after(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString()
}
