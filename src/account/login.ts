import { randomUUID } from 'node:crypto'
import type { Revision } from '../event-store/event-store.ts'
import { rehashPassword } from './account.ts'
import type { AccessClaims, CommandContext, TokenPair } from './accounts.ts'
import { accountStream, accounts, sessionStream, sessions } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import type { SessionState } from './events.ts'
import { type Client, isLive, type Refresh, refreshSession, startSession } from './sessions.ts'
import { intentOf, type WriteSide } from './write-side.ts'

/** Refreshes are state, not history: now and then a session's stream is cut behind its last event. */
const truncateEvery = 16n

/** Begins a session. Throws `no_active_account`, having hashed once, whether the user or the password was wrong. */
export async function obtainTokens(
  side: WriteSide,
  login: { username: string; password: string } & Client,
  context: CommandContext,
): Promise<TokenPair> {
  const holder = await side.claims.holder('username', login.username, context.deadline)
  const verified = holder
    ? await side.hasher.verify(holder.account.passwordHash, login.password, context.deadline)
    : await side.hasher.verifyNothing(context.deadline)
  if (!verified || holder?.account.status !== 'active') throw new DomainError('no_active_account')
  const { userId, username, passwordHash } = holder.account
  const upgraded = upgradeHash(side, userId, { verifiedBy: passwordHash, password: login.password }, context)
  const sessionId = randomUUID()
  const intent = intentOf('log in', userId, context)
  const accountRevision = Number(holder.accountRevision)
  const { device, addressRange } = login
  const { refreshTokenTtlSeconds } = side.settings
  const started = await side.handler.handle(
    sessions,
    sessionStream(sessionId),
    intent,
    (_session, _at, now) =>
      startSession(
        { userId, username, accountRevision, startedBy: context.requestId, device, addressRange },
        { now, refreshTtlSeconds: refreshTokenTtlSeconds },
      ),
  )
  if (started.state.status !== 'live')
    throw new Error(`expected a live session, found ${started.state.status}`)
  await upgraded
  return tokenPair(side, sessionId, started.state)
}

/** Replaces a hash made elsewhere, or weaker than today's. The login does not fail because of it. */
async function upgradeHash(
  side: WriteSide,
  userId: number,
  { verifiedBy, password }: { verifiedBy: string; password: string },
  context: CommandContext,
): Promise<void> {
  if (!side.hasher.needsRehash(verifiedBy)) return
  try {
    const passwordHash = await side.hasher.hash(password, context.deadline)
    const intent = intentOf('rehash', userId, context)
    await side.handler.handle(accounts, accountStream(userId), intent, account =>
      rehashPassword(account, { verifiedBy, passwordHash }),
    )
  } catch (error) {
    side.warn(error, 'a password hash could not be upgraded; a later login will try again')
  }
}

/** Gives the next pair of tokens, or the current one again. Throws `token_invalid` or `token_wrong_type`. */
export async function refreshTokens(
  side: WriteSide,
  presented: { refresh: string } & Client,
  context: CommandContext,
): Promise<TokenPair> {
  const { device, addressRange } = presented
  const { userId, sessionId, counter } = side.tokens.readRefresh(presented.refresh, side.now())
  const account = await side.handler.load(accounts, accountStream(userId), context.deadline)
  const { state: owner } = account
  if (owner.status !== 'active') throw new DomainError('token_invalid')
  const { refreshGraceSeconds: graceSeconds, refreshTokenTtlSeconds: refreshTtlSeconds } = side.settings
  const last: { outcome: Refresh['outcome'] } = { outcome: 'again' }
  const stream = sessionStream(sessionId)
  const refreshed = await side.handler.handle(
    sessions,
    stream,
    intentOf('refresh', userId, context),
    (session, _revision, now) => {
      if (!isLive(session, sessionId, owner.sessionsEnd) || session.userId !== userId) {
        throw new DomainError('token_invalid')
      }
      const decided = refreshSession(
        session,
        { counter, device, addressRange },
        { now, graceSeconds, refreshTtlSeconds },
      )
      last.outcome = decided.outcome
      return decided.events
    },
  )
  if (last.outcome === 'theft' || refreshed.state.status !== 'live') throw new DomainError('token_invalid')
  if (last.outcome === 'rotated') truncateNowAndThen(side, stream, refreshed.revision)
  return tokenPair(side, sessionId, refreshed.state)
}

/** Throws `account_gone` or `session_ended` unless the account is there and its session goes on. */
export async function requireActiveSession(
  side: WriteSide,
  claims: AccessClaims,
  context: CommandContext,
): Promise<void> {
  const [account, session] = await Promise.all([
    side.handler.load(accounts, accountStream(claims.userId), context.deadline),
    side.handler.load(sessions, sessionStream(claims.sessionId), context.deadline),
  ])
  if (account.state.status !== 'active') throw new DomainError('account_gone')
  if (!isLive(session.state, claims.sessionId, account.state.sessionsEnd)) {
    throw new DomainError('session_ended')
  }
}

function truncateNowAndThen(side: WriteSide, stream: string, revision: Revision): void {
  if (revision % truncateEvery !== 0n) return
  side.store
    .truncate(stream, revision)
    .catch(error =>
      side.warn(error, 'a session stream could not be truncated; a later refresh will try again'),
    )
}

function tokenPair(side: WriteSide, sessionId: string, session: SessionState): TokenPair {
  const { userId, username } = session
  const now = side.now()
  return {
    refresh: side.tokens.refreshToken({
      userId,
      username,
      sessionId,
      counter: session.current,
      issuedAt: Date.parse(session.currentIssuedAt),
      expiresAt: Date.parse(session.currentExpiresAt),
    }),
    access: side.tokens.accessToken({
      userId,
      username,
      sessionId,
      issuedAt: now,
      expiresAt: now + side.settings.accessTokenTtlSeconds * 1000,
    }),
  }
}
