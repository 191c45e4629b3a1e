import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { jwksIn, parseSigningKeys, type SigningAlgorithm, thumbprint } from '../account/signing-keys.ts'
import { writeTokenKeys } from '../token-keys.ts'

const rsaBits = 3072

/**
 * Makes a key for tokens and adds it to a JWK set, which is made if it is not there: as the first one, which signs, or
 * as the last one, which until it is put first is only there to be known everywhere. Throws InvalidKeys if the set is
 * not as it has to be.
 */
export async function addTokenKey(
  file: string,
  algorithm: SigningAlgorithm,
  asFirst: boolean,
): Promise<{ kid: string; signs: boolean }> {
  const present = await presentKeys(file)
  const { privateKey, publicKey } = makePair(algorithm)
  const kid = thumbprint(publicKey)
  const made: JsonWebKey = { kid, alg: algorithm, use: 'sig', ...privateKey.export({ format: 'jwk' }) }
  const signs = asFirst || present.length === 0
  await writeTokenKeys(file, signs ? [made, ...present] : [...present, made])
  return { kid, signs }
}

/** Puts a key of a JWK set first, so that it signs. False if there is none with that id. Throws InvalidKeys. */
export async function putTokenKeyFirst(file: string, kid: string): Promise<boolean> {
  const text = await readFile(file, 'utf8')
  const keys = jwksIn(text)
  const chosen = parseSigningKeys(text).findIndex(key => key.kid === kid)
  if (chosen === -1) return false
  const inOrder = [...keys.slice(chosen, chosen + 1), ...keys.filter((_key, index) => index !== chosen)]
  parseSigningKeys(JSON.stringify({ keys: inOrder }))
  await writeTokenKeys(file, inOrder)
  return true
}

async function presentKeys(file: string): Promise<JsonWebKey[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return []
  parseSigningKeys(text)
  return jwksIn(text)
}

function makePair(algorithm: SigningAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: rsaBits })
}
