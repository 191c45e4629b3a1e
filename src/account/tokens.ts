import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { AccessClaims } from './accounts.ts'
import { DomainError } from './domain-error.ts'
import { createMailedTokens } from './mailed-tokens.ts'
import { publicJwk, type SigningKey } from './signing-keys.ts'
import { createTokenSigning } from './token-signing.ts'

/** Whose session a token is for, and its time in milliseconds since 1970; the token has it in whole seconds. */
export type TokenContent = AccessClaims & { issuedAt: number; expiresAt: number }

/** What a verified refresh token says. `counter` is the number of refreshes before it in its session. */
export type RefreshClaims = AccessClaims & { counter: number }

type TokenType = 'access' | 'refresh'

/** Some hundred bytes each. */
const rememberedAccessTokens = 12_000

export type Tokens = ReturnType<typeof createTokens>

/**
 * Makes and reads every token that clients hold, under one secret of at least 32 bytes and, for those of sessions, under
 * `keys` if there are any. The clock is passed in.
 */
export function createTokens(options: { secret: Buffer; keys?: readonly SigningKey[] }) {
  const { secret, keys = [] } = options
  const { sign, verify } = createTokenSigning(secret, keys)
  // A client shows the same access token for minutes: nothing about its signature changes meanwhile.
  const verified = new LRUCache<string, { session: AccessClaims; expiresAt: number }>({
    max: rememberedAccessTokens,
  })

  function tokenOf(type: TokenType, content: TokenContent, counter?: number): string {
    const { userId, username, sessionId } = content
    const iat = Math.floor(content.issuedAt / 1000)
    const exp = Math.floor(content.expiresAt / 1000)
    const jti = tokenId(`${type} ${sessionId} ${counter ?? `${iat} ${exp}`}`)
    const claims = { token_type: type, exp, iat, jti, user_id: userId, username, sid: sessionId }
    return sign(counter === undefined ? claims : { ...claims, n: counter })
  }

  return {
    /** Tokens that choose a new password; their id is that of the reset. */
    resets: createMailedTokens(secret, 'password reset'),

    /** Tokens that prove an address; their id is that of the change. */
    emailChanges: createMailedTokens(secret, 'email confirmation'),

    /** What others need to verify access tokens; nothing if they are signed by the secret. */
    publicKeys: keys.map(publicJwk),

    /** The same for the same content, but for the signature of ES256, which has chance in it. */
    accessToken: (content: TokenContent): string => tokenOf('access', content),

    /** The same for the same content, but for the signature of ES256, which has chance in it. */
    refreshToken: (content: TokenContent & { counter: number }): string =>
      tokenOf('refresh', content, content.counter),

    /** Throws `token_invalid`, or `token_wrong_type` for a good token of another kind. `now` is in milliseconds. */
    readAccess(token: string, now: number): AccessClaims {
      const known = verified.get(token)
      if (known && now < known.expiresAt) return known.session
      const claims = claimsOf(verify(token), 'access', now)
      const session = sessionOf(claims)
      verified.set(token, { session, expiresAt: claims.exp * 1000 })
      return session
    },

    /** Throws `token_invalid`, or `token_wrong_type` for a good token of another kind. `now` is in milliseconds. */
    readRefresh(token: string, now: number): RefreshClaims {
      const claims = claimsOf(verify(token), 'refresh', now)
      if (!isCount(claims.n)) throw new DomainError('token_invalid')
      return { ...sessionOf(claims), counter: claims.n }
    },
  }
}

type Claims = Record<string, unknown> & { exp: number }

function claimsOf(verified: object | null, type: TokenType, now: number): Claims {
  const claims: Record<string, unknown> = { ...verified }
  const other: TokenType = type === 'access' ? 'refresh' : 'access'
  if (!isCount(claims.exp) || now >= claims.exp * 1000) throw new DomainError('token_invalid')
  if (claims.token_type === other) throw new DomainError('token_wrong_type')
  if (claims.token_type !== type) throw new DomainError('token_invalid')
  return { ...claims, exp: claims.exp }
}

function sessionOf(claims: Claims): AccessClaims {
  const { user_id: userId, username, sid: sessionId } = claims
  if (!isCount(userId) || typeof username !== 'string' || typeof sessionId !== 'string') {
    throw new DomainError('token_invalid')
  }
  return { userId, username, sessionId }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function tokenId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
