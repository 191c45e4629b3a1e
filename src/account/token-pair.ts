import type { TokenPair } from './accounts.ts'
import type { SessionState } from './events.ts'
import type { WriteSide } from './write-side.ts'

/** The tokens of a session in a state; `issuedAt` is when the access token was, in milliseconds since 1970. */
export function tokenPair(
  side: Pick<WriteSide, 'tokens' | 'settings'>,
  sessionId: string,
  session: SessionState,
  issuedAt: number,
): TokenPair {
  const { userId, username } = session
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
      issuedAt,
      expiresAt: issuedAt + side.settings.accessTokenTtlSeconds * 1000,
    }),
  }
}
