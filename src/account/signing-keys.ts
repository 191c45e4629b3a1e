import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'

export type SigningAlgorithm = 'ES256' | 'RS256'

/** A key pair for tokens. `privateKey` null: it only verifies what it signed in its time. */
export type SigningKey = {
  kid: string
  algorithm: SigningAlgorithm
  privateKey: KeyObject | null
  publicKey: KeyObject
}

/** The public half of a key as a JWK (RFC 7517), for those who verify tokens by themselves. */
export type PublicJwk = { kid: string; alg: SigningAlgorithm; use: 'sig' } & JsonWebKey

/** Keys are not as they have to be; the message says which one and how, without anything of the key. */
export class InvalidKeys extends Error {
  override readonly name = 'InvalidKeys'
}

const smallestRsaBits = 2048

/**
 * Reads a JWK set with keys for ES256 or RS256: the first one signs and so needs its private half, the others verify.
 * A key without a `kid` gets its thumbprint (RFC 7638). Throws InvalidKeys.
 */
export function parseSigningKeys(text: string): SigningKey[] {
  const keys = jwksIn(text).map((jwk, index) => {
    try {
      return toSigningKey(jwk)
    } catch (error) {
      throw new InvalidKeys(
        `key ${index + 1}: ${error instanceof InvalidKeys ? error.message : 'unreadable'}`,
      )
    }
  })
  const [first] = keys
  if (!first) throw new InvalidKeys('expected at least one key, found none')
  if (!first.privateKey)
    throw new InvalidKeys('key 1: expected a private key, as it signs, found a public one')
  const twice = keys.find(({ kid }, index) => keys.findIndex(key => key.kid === kid) !== index)
  if (twice) throw new InvalidKeys(`expected a kid of its own for each key, found ${twice.kid} twice`)
  return keys
}

/** The keys in a JWK set, as they are. Throws InvalidKeys. */
export function jwksIn(text: string): JsonWebKey[] {
  const set = parseJson(text)
  if (typeof set === 'object' && set !== null && 'keys' in set && Array.isArray(set.keys)) {
    if (set.keys.every(isObject)) return set.keys
  }
  throw new InvalidKeys('expected a JWK set, {"keys":[…]}, found something else')
}

export function publicJwk({ kid, algorithm, publicKey }: SigningKey): PublicJwk {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }
}

/** The thumbprint of a key (RFC 7638), which serves as its id. */
export function thumbprint(publicKey: KeyObject): string {
  const { kty, crv, e, n, x, y } = publicKey.export({ format: 'jwk' })
  // The members that are required, in alphabetical order; JSON leaves out those that a kind of key has not got.
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url')
}

function toSigningKey(jwk: JsonWebKey): SigningKey {
  const algorithm = algorithmOf(jwk)
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? smallestRsaBits
  if (bits < smallestRsaBits) {
    throw new InvalidKeys(`expected an RSA key of at least ${smallestRsaBits} bits, found one of ${bits}`)
  }
  const privateKey = jwk.d === undefined ? null : createPrivateKey({ key: jwk, format: 'jwk' })
  if (privateKey && !belongTogether(privateKey, publicKey)) {
    throw new InvalidKeys('expected the private and the public half of one key, found those of two')
  }
  const kid = typeof jwk.kid === 'string' && jwk.kid !== '' ? jwk.kid : thumbprint(publicKey)
  return { kid, algorithm, privateKey, publicKey }
}

function belongTogether(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const probe = Buffer.from('probe')
  return verify('sha256', probe, publicKey, sign('sha256', probe, privateKey))
}

function algorithmOf({ kty, crv, alg, use }: JsonWebKey): SigningAlgorithm {
  const isEc = kty === 'EC' && crv === 'P-256'
  if (!isEc && kty !== 'RSA') {
    const found = [kty, crv].filter(part => part !== undefined).join(' ')
    throw new InvalidKeys(`expected kty EC with crv P-256, or RSA, found ${found || 'no kty'}`)
  }
  const algorithm = isEc ? 'ES256' : 'RS256'
  if (alg !== undefined && alg !== algorithm) throw new InvalidKeys(`expected alg ${algorithm}, found ${alg}`)
  if (use !== undefined && use !== 'sig') throw new InvalidKeys(`expected use sig, found ${use}`)
  return algorithm
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What JSON.parse says may quote the key.
    throw new InvalidKeys('expected JSON, found something else')
  }
}

function isObject(value: unknown): value is JsonWebKey {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
