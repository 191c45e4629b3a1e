import type { AccessClaims, Accounts } from '../account/accounts.ts'
import { DomainError } from '../account/domain-error.ts'
import { usernameKey } from '../account/names.ts'
import { accessTokenRefused, Refusal, tokenInvalid, tokenWrongType, unauthorized } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { idempotencyKeyOf } from './idempotency-key.ts'
import type { NewContext } from './new-context.ts'

/** The steps that find out who is asking. */
export function createCredentials(accounts: Accounts, newContext: NewContext) {
  function viewerOf({ req }: Exchange): AccessClaims | null {
    const token = accessToken(req.headers.authorization)
    return token === null ? null : readAccessToken(accounts, token)
  }

  function claimsOf(exchange: Exchange): AccessClaims {
    const claims = viewerOf(exchange)
    if (claims) return claims
    throw new Refusal(unauthorized({ detail: 'Authentication credentials were not provided.' }))
  }

  async function requireAccount(exchange: Exchange): Promise<{ claims: AccessClaims }> {
    const claims = claimsOf(exchange)
    await accounts.requireActive(claims, newContext(exchange))
    return { claims }
  }

  return {
    /** For reads: whoever holds a valid access token is believed; nobody has to have one. */
    recogniseViewer: (exchange: Exchange) => ({ viewer: viewerOf(exchange) }),

    /** For commands: the account is still there, and its session has not been ended. */
    requireAccount,

    /**
     * For commands that may end the very session they are given in. One that has ended is let pass if there is a key
     * with which that was done perhaps: the command then has to see to it that nothing but that is answered.
     */
    async requireAccountOrKey(exchange: Exchange): Promise<{ claims: AccessClaims }> {
      try {
        return await requireAccount(exchange)
      } catch (error) {
        if (!(error instanceof DomainError) || idempotencyKeyOf(exchange.req) === undefined) throw error
        return { claims: claimsOf(exchange) }
      }
    },
  }
}

/** The step that lets nobody but the user named in the path go on. */
export function requireOwner({ segment, claims }: Exchange & { claims: AccessClaims }): { ownerId: number } {
  if (!names(segment, claims)) throw new Refusal(unauthorized({ detail: 'Unauthorized.' }))
  return { ownerId: claims.userId }
}

/** The id that a path's segment means, null if it means a username. */
export function idIn(segment: string): number | null {
  return /^[0-9]+$/.test(segment) ? Number(segment) : null
}

function names(segment: string, claims: AccessClaims): boolean {
  const id = idIn(segment)
  if (id !== null) return id === claims.userId
  return segment === claims.username || usernameKey(segment) === usernameKey(claims.username)
}

/** The token in an Authorization header; null if there are no credentials in it that we know. */
function accessToken(header: string | undefined): string | null {
  if (header === undefined) return null
  const [scheme = '', token, ...more] = header.trim().split(/\s+/)
  if (!/^(?:bearer|jwt)$/i.test(scheme)) return null
  if (token !== undefined && more.length === 0) return token
  const detail = 'Authorization header must contain two space-delimited values'
  throw new Refusal(unauthorized({ detail, code: 'bad_authorization_header' }))
}

function readAccessToken(accounts: Accounts, token: string): AccessClaims {
  try {
    return accounts.readAccessToken(token)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const message = error.code === 'token_wrong_type' ? tokenWrongType : tokenInvalid
    throw new Refusal(accessTokenRefused(message))
  }
}
