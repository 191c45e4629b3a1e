import type { Revision } from '../event-store/event-store.ts'
import type { ActiveAccount } from './account.ts'
import type { CommandContext, TokenPair } from './accounts.ts'
import { accountStream, accounts, sessionStream, sessions } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import type { SessionState } from './events.ts'
import type { Intent } from './handle.ts'
import { onceByKey, requireSame } from './once-by-key.ts'
import { type Client, isLive, type Refresh, refreshSession, type Session } from './sessions.ts'
import { tokenPair } from './token-pair.ts'
import type { RefreshClaims } from './tokens.ts'
import type { WriteSide } from './write-side.ts'

/** Refreshes are state, not history: now and then a session's stream is cut behind its last event. */
const truncateEvery = 16n

/** Gives the next pair of tokens, or the current one again. Throws `token_invalid` or `token_wrong_type`. */
export async function refreshTokens(
  side: WriteSide,
  { refresh, ...client }: { refresh: string } & Client,
  context: CommandContext,
): Promise<TokenPair> {
  const claims = side.tokens.readRefresh(refresh, side.now())
  const { userId, sessionId, counter } = claims
  const { state: owner } = await side.handler.load(accounts, accountStream(userId), context.deadline)
  if (owner.status !== 'active') throw new DomainError('token_invalid')
  const stream = sessionStream(sessionId)
  const command = { name: 'refresh', actor: userId, aggregate: sessions, stream }
  return onceByKey(side, command, context, {
    async again({ event }) {
      const { state } = await side.handler.load(sessions, stream, context.deadline)
      requireTheirs(state, claims, owner)
      if (event.type !== 'SessionRefreshed') throw new DomainError('token_invalid')
      requireSame(event.data.presented === counter)
      return rotated(side, sessionId, event.data)
    },
    first: intent => refreshFirst(side, claims, client, owner, intent),
  })
}

async function refreshFirst(
  side: WriteSide,
  claims: RefreshClaims,
  client: Client,
  owner: ActiveAccount,
  intent: Intent,
): Promise<TokenPair> {
  const { sessionId, counter } = claims
  const { refreshGraceSeconds: graceSeconds, refreshTokenTtlSeconds: refreshTtlSeconds } = side.settings
  const last: { outcome: Refresh['outcome'] } = { outcome: 'again' }
  const stream = sessionStream(sessionId)
  const { state, revision } = await side.handler.handle(sessions, stream, intent, (session, _at, now) => {
    const times = { now, graceSeconds, refreshTtlSeconds }
    const decided = refreshSession(requireTheirs(session, claims, owner), { counter, ...client }, times)
    last.outcome = decided.outcome
    return decided.events
  })
  if (last.outcome === 'theft' || state.status !== 'live') throw new DomainError('token_invalid')
  if (last.outcome === 'again') return tokenPair(side, sessionId, state, side.now())
  truncateNowAndThen(side, stream, revision)
  return rotated(side, sessionId, state)
}

/** What the refresh that led to a state answers, whenever it is asked. */
function rotated(side: WriteSide, sessionId: string, session: SessionState): TokenPair {
  return tokenPair(side, sessionId, session, Date.parse(session.currentIssuedAt))
}

function requireTheirs(
  session: Session,
  { sessionId, userId }: RefreshClaims,
  owner: ActiveAccount,
): SessionState {
  if (isLive(session, sessionId, owner.sessionsEnd) && session.userId === userId) return session
  throw new DomainError('token_invalid')
}

function truncateNowAndThen(side: WriteSide, stream: string, revision: Revision): void {
  if (revision % truncateEvery !== 0n) return
  side.store
    .truncate(stream, revision)
    .catch(error =>
      side.warn(error, 'a session stream could not be truncated; a later refresh will try again'),
    )
}
