import { randomUUID } from 'node:crypto'
import { noStream } from '../event-store/event-store.ts'
import { rehashPassword } from './account.ts'
import type { AccessClaims, CommandContext, TokenPair } from './accounts.ts'
import { accountStream, accounts, sessionStream, sessions } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import { uuid5 } from './event-ids.ts'
import type { RosterEvent, SessionState } from './events.ts'
import type { Intent } from './handle.ts'
import { commandKey, once } from './once-by-key.ts'
import { type Client, isLive, startSession } from './sessions.ts'
import { tokenPair } from './token-pair.ts'
import { toRecorded } from './upcasters.ts'
import { intentOf, type WriteSide } from './write-side.ts'

/** Part of the ids of events and sessions. */
const name = 'log in'

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
  const { account } = holder
  const { userId, username, passwordHash } = account
  const upgraded = upgradeHash(side, userId, { verifiedBy: passwordHash, password: login.password }, context)
  const accountRevision = Number(holder.accountRevision)
  const { device, addressRange } = login
  const startedBy = context.requestId
  const beginning = { userId, username, accountRevision, startedBy, device, addressRange }
  const permit = async () => context.permit?.(account)
  const tokens = await beginSession(side, beginning, { ...context, permit })
  await upgraded
  return tokens
}

type Beginning = Pick<SessionState, 'userId' | 'username' | 'accountRevision' | 'startedBy'> & Client

/** By its key, a repeated login finds the session that the first one began. */
async function beginSession(
  side: WriteSide,
  beginning: Beginning,
  context: CommandContext & { permit(): Promise<unknown> },
): Promise<TokenPair> {
  const { userId } = beginning
  const { idempotencyKey, deadline } = context
  if (idempotencyKey === undefined) {
    await context.permit()
    return startedSession(side, randomUUID(), beginning, intentOf(name, userId, context))
  }
  const key = commandKey(name, idempotencyKey)
  const sessionId = uuid5(`session\n${userId}\n${key}`)
  const stream = sessionStream(sessionId)
  return once(side, `${stream} ${key}`, deadline, {
    async look() {
      const [first] = await side.store.readStream(stream, { limit: 1, deadline })
      return first ? toRecorded(first) : null
    },
    found: event => event,
    async again(event) {
      const session = sessionAsBegun(event, side.settings.refreshTokenTtlSeconds)
      return tokenPair(side, sessionId, session, Date.parse(session.startedAt))
    },
    async first() {
      await context.permit()
      const intent = { ...intentOf(name, userId, context), key, keyIsNew: false, lookedTo: noStream }
      return startedSession(side, sessionId, beginning, intent)
    },
  })
}

/** By the first event that is left of its stream: one that was cut still tells when it began. */
function sessionAsBegun(event: RosterEvent, refreshTtlSeconds: number): SessionState {
  if (event.type === 'SessionStarted') return event.data
  // Of a session that was forgotten nothing is known any more.
  if (event.type !== 'SessionRefreshed') throw new DomainError('key_reused')
  const { startedAt } = event.data
  const currentExpiresAt = new Date(Date.parse(startedAt) + refreshTtlSeconds * 1000).toISOString()
  return { ...event.data, current: 0, currentIssuedAt: startedAt, currentExpiresAt }
}

async function startedSession(
  side: WriteSide,
  sessionId: string,
  beginning: Beginning,
  intent: Intent,
): Promise<TokenPair> {
  const { refreshTokenTtlSeconds: refreshTtlSeconds } = side.settings
  const { state } = await side.handler.handle(
    sessions,
    sessionStream(sessionId),
    intent,
    (_session, _at, now) => startSession(beginning, { now, refreshTtlSeconds }),
  )
  if (state.status !== 'live') throw new Error(`expected a live session, found ${state.status}`)
  return tokenPair(side, sessionId, state, Date.parse(state.startedAt))
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
