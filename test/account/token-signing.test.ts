import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { parseSigningKeys, type SigningKey } from '../../src/account/signing-keys.ts'
import { createTokenSigning } from '../../src/account/token-signing.ts'
import { createTokens } from '../../src/account/tokens.ts'

const secret = Buffer.alloc(32, 7)
const pairs = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  otherEc: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

function key(name: keyof typeof pairs): SigningKey {
  const jwk = pairs[name].privateKey.export({ format: 'jwk' })
  const [made] = parseSigningKeys(JSON.stringify({ keys: [{ ...jwk, kid: name }] }))
  if (!made) throw new Error('expected a key, found none')
  return made
}
const [ec, otherEc, rsa] = [key('ec'), key('otherEc'), key('rsa')]

const claims = { a: 1 }
const headerOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
const verified = (keys: readonly SigningKey[], token: string, under = secret) =>
  createTokenSigning(under, keys).verify(token)

describe('Signing tokens', () => {
  it('names the key in each token: the first one, or the secret', () => {
    expect(headerOf(createTokenSigning(secret, [ec, rsa]).sign(claims))).to.deep.equal({
      alg: 'ES256',
      typ: 'JWT',
      kid: 'ec',
    })
    expect(headerOf(createTokenSigning(secret, [rsa]).sign(claims))).to.include({ alg: 'RS256', kid: 'rsa' })
    const shared = headerOf(createTokenSigning(secret, []).sign(claims))
    expect(shared).to.include({ alg: 'HS256' })
    expect(shared)
      .to.have.property('kid')
      .that.matches(/^[\w-]{16}$/)
    const other = headerOf(createTokenSigning(Buffer.alloc(32, 8), []).sign(claims))
    expect(other).to.have.property('kid').that.not.equals(Object(shared).kid)
  })

  it('verifies what listed keys signed, whichever signs now', () => {
    const byEc = createTokenSigning(secret, [ec]).sign(claims)
    const byRsa = createTokenSigning(secret, [rsa]).sign(claims)
    for (const keys of [
      [ec, rsa],
      [rsa, ec],
      [otherEc, rsa, ec],
    ]) {
      expect(verified(keys, byEc)).to.deep.include(claims)
      expect(verified(keys, byRsa)).to.deep.include(claims)
    }
  })

  it('verifies by public keys alone', () => {
    const byEc = createTokenSigning(secret, [ec]).sign(claims)
    expect(verified([rsa, { ...ec, privateKey: null }], byEc)).to.deep.include(claims)
  })

  it('does not verify what keys signed that are listed no more', () => {
    expect(verified([rsa], createTokenSigning(secret, [ec]).sign(claims))).to.equal(null)
    expect(verified([], createTokenSigning(secret, [ec]).sign(claims))).to.equal(null)
  })

  it('verifies what the secret signed also once keys sign, and tokens from before they named their key', () => {
    const shared = createTokenSigning(secret, []).sign(claims)
    expect(verified([ec], shared)).to.deep.include(claims)
    expect(verified([ec], jwt.sign(claims, secret))).to.deep.include(claims)
    expect(verified([], jwt.sign(claims, secret))).to.deep.include(claims)
    expect(verified([ec], shared, Buffer.alloc(32, 8))).to.equal(null)
  })

  it('takes no key for one of another kind', () => {
    const publicPem = pairs.rsa.publicKey.export({ type: 'spki', format: 'pem' })
    for (const forged of [
      // The public key, which everybody knows, as a shared secret.
      jwt.sign(claims, Buffer.from(publicPem), {
        algorithm: 'HS256',
        keyid: 'rsa',
        allowInsecureKeySizes: true,
      }),
      jwt.sign(claims, secret, { algorithm: 'HS256', keyid: 'rsa' }),
      jwt.sign(claims, pairs.ec.privateKey, { algorithm: 'ES256', keyid: 'otherEc' }),
      jwt.sign(claims, pairs.ec.privateKey, { algorithm: 'ES256' }),
      jwt.sign(claims, pairs.rsa.privateKey, { algorithm: 'RS512', keyid: 'rsa' }),
      jwt.sign(claims, '', { algorithm: 'none', keyid: 'rsa' }),
      jwt.sign(claims, secret, { keyid: '' }),
      jwt.sign(claims, secret, { keyid: '__proto__' }),
    ]) {
      expect(verified([rsa, ec, otherEc], forged), forged).to.equal(null)
    }
  })

  it('leaves mailed tokens as they are', () => {
    const content = { userId: 4, id: 'a', expiresAt: '2026-01-02T12:00:00.000Z' }
    expect(createTokens({ secret, keys: [ec] }).resets.make(content)).to.equal(
      createTokens({ secret }).resets.make(content),
    )
  })

  it('tells the public keys, and never the secret', () => {
    const { publicKeys } = createTokens({ secret, keys: [ec, rsa] })
    expect(publicKeys.map(({ kid }) => kid)).to.deep.equal(['ec', 'rsa'])
    expect(JSON.stringify(publicKeys)).not.to.match(/"(?:d|p|q|k)":/)
    expect(createTokens({ secret }).publicKeys).to.deep.equal([])
  })
})
