import type { Revision } from '../event-store/event-store.ts'
import { endOtherSessions as decideEnd, outlives, requireActive, type SessionsEnd } from './account.ts'
import type { AccessClaims, BegunSession, CommandContext, Written } from './accounts.ts'
import { accountStream, accounts, sessionStream, sessions } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import type { SessionState } from './events.ts'
import type { Intent } from './handle.ts'
import { requireActiveSession } from './login.ts'
import { onceByKey, requireSame } from './once-by-key.ts'
import { isLive, revokeSession } from './sessions.ts'
import type { RefreshClaims } from './tokens.ts'
import { intentOf, type WriteSide } from './write-side.ts'

type Deadline = Pick<CommandContext, 'deadline'>

/** Those of a user's sessions that did not end with others. Throws `account_gone`. */
export async function outlivingAmong<S extends BegunSession>(
  side: WriteSide,
  userId: number,
  begun: readonly S[],
  context: Deadline,
): Promise<S[]> {
  const end = await sessionsEnd(side, userId, context)
  return begun.filter(({ id, accountRevision }) => outlives({ sessionId: id, accountRevision }, end))
}

/** The session that asks, from the log. Throws `session_ended`. */
export async function ownSession(
  side: WriteSide,
  claims: AccessClaims,
  context: CommandContext,
): Promise<SessionState> {
  const { state } = await side.handler.load(sessions, sessionStream(claims.sessionId), context.deadline)
  if (state.status !== 'live') throw new DomainError('session_ended')
  return state
}

async function sessionsEnd(side: WriteSide, userId: number, context: Deadline): Promise<SessionsEnd> {
  const { state } = await side.handler.load(accounts, accountStream(userId), context.deadline)
  return requireActive(state).sessionsEnd
}

/** Ends the session of a refresh token; a dead token ends nothing. Throws `token_wrong_type`. */
export async function revokeToken(
  side: WriteSide,
  refresh: string,
  context: CommandContext,
): Promise<Written<null>> {
  const claims = claimsIfAlive(side, refresh)
  if (!claims) return { value: null, visible: true }
  const intent = intentOf('end session', claims.userId, context)
  return revoke(side, claims, sessionStream(claims.sessionId), 'logout', intent)
}

function claimsIfAlive(side: WriteSide, refresh: string): RefreshClaims | null {
  try {
    return side.tokens.readRefresh(refresh, side.now())
  } catch (error) {
    if (error instanceof DomainError && error.code === 'token_invalid') return null
    throw error
  }
}

/**
 * Ends one of the user's sessions. Throws `session_unknown` if it is not theirs, or over, and what
 * `requireActiveSession` throws: by its key, a command that ended the very session that asks can be repeated in it.
 */
export async function endSession(
  side: WriteSide,
  claims: AccessClaims,
  sessionId: string,
  context: CommandContext,
): Promise<Written<null>> {
  const stream = sessionStream(sessionId)
  const command = { name: 'end session', actor: claims.userId, aggregate: sessions, stream }
  return onceByKey(side, command, context, {
    async again({ event, after }) {
      requireSame(event.type === 'SessionRevoked' && event.data.userId === claims.userId)
      return shownAsEnded(side, stream, after.revision)
    },
    async first(intent) {
      await requireActiveSession(side, claims, context)
      const [session, end] = await Promise.all([
        side.handler.load(sessions, stream, context.deadline),
        sessionsEnd(side, claims.userId, context),
      ])
      const { state } = session
      const isOver = !isLive(state, sessionId, end) || Date.parse(state.currentExpiresAt) <= side.now()
      if (isOver || state.userId !== claims.userId) throw new DomainError('session_unknown')
      return revoke(side, claims, stream, 'ended', intent)
    },
  })
}

async function revoke(
  side: WriteSide,
  { userId }: { userId: number },
  stream: string,
  reason: 'logout' | 'ended',
  intent: Intent,
): Promise<Written<null>> {
  const ended = await side.handler.handle(sessions, stream, intent, session =>
    revokeSession(session, userId, reason),
  )
  return ended.appended ? shownAsEnded(side, stream, ended.revision) : { value: null, visible: true }
}

async function shownAsEnded(side: WriteSide, stream: string, revision: Revision): Promise<Written<null>> {
  return { value: null, visible: await side.waitUntilSessionVisible(stream, revision) }
}

/** Ends all of the user's sessions but the one that asks. Throws `session_ended` if that was ended meanwhile. */
export async function endOtherSessions(
  side: WriteSide,
  { userId, sessionId }: AccessClaims,
  context: CommandContext,
): Promise<void> {
  const stream = accountStream(userId)
  const command = { name: 'end sessions', actor: userId, aggregate: accounts, stream }
  await onceByKey(side, command, context, {
    again: async ({ event }) => requireSame(event.type === 'SessionsEnded'),
    async first(intent) {
      const accountRevision = await askingSince(side, sessionId, context)
      await side.handler.handle(accounts, stream, intent, account =>
        decideEnd(account, { sessionId, accountRevision }),
      )
    },
  })
}

/** The account's revision when the session that asks began. Throws `session_ended`. */
export async function askingSince(
  side: WriteSide,
  sessionId: string,
  { deadline }: Deadline,
): Promise<number> {
  const { state } = await side.handler.load(sessions, sessionStream(sessionId), deadline)
  if (state.status !== 'live') throw new DomainError('session_ended')
  return state.accountRevision
}
