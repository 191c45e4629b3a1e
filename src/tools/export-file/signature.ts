import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { ExportSignature } from './format.ts'

/** A key that is none, or of another kind than Ed25519. */
export class WrongKey extends Error {
  override readonly name = 'WrongKey'
}

const signedText = (chain: string) => Buffer.from(`roster-export footer ${chain}`)

/** Signs footers with an Ed25519 private key in PEM. Throws WrongKey. */
export function exportSigner(pem: string): (chain: string) => ExportSignature {
  const key = ed25519(() => createPrivateKey(pem), 'private')
  const publicKey = rawPublicKey(createPublicKey(key))
  return chain => ({ publicKey, signature: sign(null, signedText(chain), key).toString('base64url') })
}

/** The raw key in base64url of an Ed25519 public key, or of the private key's other half, in PEM. Throws WrongKey. */
export function publicKeyOf(pem: string): string {
  return rawPublicKey(ed25519(() => createPublicKey(pem), 'public'))
}

/** Whether a signature is the one of a footer's chain by the key it names. */
export function isSignedBy({ publicKey, signature }: ExportSignature, chain: string): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
    // One text for each key and signature: the last character has bits that decoding would ignore.
    const asWritten = rawPublicKey(key) === publicKey && bytes.toString('base64url') === signature
    return asWritten && verify(null, signedText(chain), key, bytes)
  } catch {
    return false
  }
}

function ed25519(read: () => KeyObject, half: 'private' | 'public'): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch (cause) {
    throw new WrongKey(`expected an Ed25519 ${half} key in PEM, found something else`, { cause })
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new WrongKey(`expected an Ed25519 ${half} key, found one of ${key.asymmetricKeyType}`)
  }
  return key
}

function rawPublicKey(key: KeyObject): string {
  const { x } = key.export({ format: 'jwk' })
  if (x === undefined) throw new WrongKey('expected a public key with its point, found none')
  return x
}
