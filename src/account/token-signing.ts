import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import type { SigningKey } from './signing-keys.ts'

type Algorithm = 'HS256' | SigningKey['algorithm']
type Verifier = { algorithm: Algorithm; key: KeyObject }

/** Signs the claims of tokens, and gives those of tokens signed by us. */
export type TokenSigning = {
  sign(claims: object): string
  /** Null for what is not signed by us. */
  verify(token: string): object | null
}

/**
 * The one place that chooses keys and algorithms. The first of `keys` signs, or the secret if there are none. Each of
 * them verifies what it signed, and the secret too, so that a change of keys ends no session. A token names its key by
 * `kid`; one without was signed by the secret before tokens had that.
 */
export function createTokenSigning(secret: Buffer, keys: readonly SigningKey[]): TokenSigning {
  // Made once: jsonwebtoken takes 40 times as long when it has to make it for each call.
  const shared: Verifier = { algorithm: 'HS256', key: createSecretKey(secret) }
  const sharedId = createHmac('sha256', secret).update('roster key id').digest('base64url').slice(0, 16)
  const verifiers = new Map<string | undefined, Verifier>([[sharedId, shared]])
  for (const { kid, algorithm, publicKey } of keys) verifiers.set(kid, { algorithm, key: publicKey })
  verifiers.set(undefined, shared)

  const [first] = keys
  const signer = first?.privateKey
    ? { kid: first.kid, algorithm: first.algorithm, key: first.privateKey }
    : { kid: sharedId, ...shared }

  return {
    sign: claims => jwt.sign(claims, signer.key, { algorithm: signer.algorithm, keyid: signer.kid }),

    verify(token) {
      const verifier = verifiers.get(keyIdIn(token))
      if (!verifier) return null
      try {
        const { algorithm, key } = verifier
        // Its own check of the time knows no clock but the machine's when it is told 0.
        const claims = jwt.verify(token, key, { algorithms: [algorithm], ignoreExpiration: true })
        return typeof claims === 'object' ? claims : null
      } catch {
        return null
      }
    },
  }
}

/** What a token's header says of its key: nothing that is to be believed before the token was verified by it. */
function keyIdIn(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(
      Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString(),
    )
    const kid = typeof header === 'object' && header !== null && 'kid' in header ? header.kid : undefined
    return kid === undefined ? undefined : String(kid)
  } catch {
    return undefined
  }
}
