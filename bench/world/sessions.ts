import { randomUUID } from 'node:crypto'
import { sessionStream, sessions } from '../../src/account/aggregates.ts'
import { createHandler } from '../../src/account/handle.ts'
import { startSession } from '../../src/account/sessions.ts'
import type { Tokens } from '../../src/account/tokens.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import type { SeededUser } from '../../src/tools/seed.ts'
import { eachAtOnce } from './each-at-once.ts'

export type BenchSession = { username: string; access: string; refresh: string }

const lifetimeSeconds = 14 * 24 * 3600

/** Begins a session of each user in the log, as a login does, and gives its tokens, in the order of the users. */
export async function startSessions(
  store: EventStore,
  tokens: Tokens,
  users: readonly SeededUser[],
): Promise<BenchSession[]> {
  const handler = createHandler({ store, now: Date.now })
  const started: BenchSession[] = []
  await eachAtOnce(users, async ({ userId, username }, at) => {
    const sessionId = randomUUID()
    const requestId = `session-${userId}`
    const client = { device: 'bench', addressRange: '127.0.0.0/24' }
    const login = { userId, username, accountRevision: 0, startedBy: requestId, ...client }
    const intent = { key: sessionId, actor: userId, requestId, deadline: Infinity }
    const { state } = await handler.handle(sessions, sessionStream(sessionId), intent, (_session, _at, now) =>
      startSession(login, { now, refreshTtlSeconds: lifetimeSeconds }),
    )
    if (state.status !== 'live') throw new Error(`expected a live session, found ${state.status}`)
    const content = {
      userId,
      username,
      sessionId,
      issuedAt: Date.parse(state.currentIssuedAt),
      expiresAt: Date.parse(state.currentExpiresAt),
    }
    const refresh = tokens.refreshToken({ ...content, counter: state.current })
    started[at] = { username, access: tokens.accessToken(content), refresh }
  })
  return started
}
