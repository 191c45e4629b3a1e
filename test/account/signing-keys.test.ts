import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { expect } from 'chai'
import { InvalidKeys, parseSigningKeys, publicJwk, thumbprint } from '../../src/account/signing-keys.ts'

const ec = (namedCurve = 'P-256') =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'jwk' })
const rsa = (modulusLength = 2048) =>
  generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ format: 'jwk' })
const publicOf = (jwk: JsonWebKey): JsonWebKey =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' })
const set = (...keys: JsonWebKey[]) => JSON.stringify({ keys })

function refusal(text: string): string {
  try {
    parseSigningKeys(text)
  } catch (error) {
    if (error instanceof InvalidKeys) return error.message
    throw error
  }
  return 'accepted'
}

describe('Keys for tokens', () => {
  it('are EC keys for ES256 and RSA keys for RS256, the first one private', () => {
    const keys = parseSigningKeys(set({ ...ec(), kid: 'a' }, { ...rsa(), kid: 'b' }, publicOf(ec())))
    expect(keys.map(({ algorithm }) => algorithm)).to.deep.equal(['ES256', 'RS256', 'ES256'])
    expect(keys.map(({ kid }) => kid).slice(0, 2)).to.deep.equal(['a', 'b'])
    expect(keys.map(({ privateKey }) => privateKey !== null)).to.deep.equal([true, true, false])
  })

  it('have their thumbprint for an id if they have none', () => {
    // RFC 7638, section 3.1.
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj' +
      'hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q' +
      'MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
    const key = createPublicKey({ key: { kty: 'RSA', e: 'AQAB', n }, format: 'jwk' })
    expect(thumbprint(key)).to.equal('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
    const jwk = ec()
    const [made] = parseSigningKeys(set(jwk))
    expect(made?.kid).to.equal(thumbprint(createPublicKey({ key: jwk, format: 'jwk' })))
  })

  it('are told to the world without their private half', () => {
    for (const [jwk, members] of [
      [ec(), ['kty', 'crv', 'x', 'y']],
      [rsa(), ['kty', 'n', 'e']],
    ] as const) {
      const [key] = parseSigningKeys(set(jwk))
      if (!key) throw new Error('expected a key, found none')
      expect(publicJwk(key)).to.have.all.keys('kid', 'alg', 'use', ...members)
    }
  })

  for (const [what, text, message] of [
    ['no JSON', '{', 'expected JSON'],
    ['no set', '[]', 'expected a JWK set'],
    ['a set of something else', '{"keys":["a"]}', 'expected a JWK set'],
    ['no key', set(), 'at least one key, found none'],
    ['a public key first', set(publicOf(ec())), 'key 1: expected a private key'],
    ['another curve', set(ec('P-384')), 'key 1: expected kty EC with crv P-256, or RSA, found EC P-384'],
    ['a shared secret', set({ kty: 'oct', k: 'AAAA' }), 'key 1: expected kty EC'],
    ['a key of nothing', set({}), 'found no kty'],
    ['half a key', set({ kty: 'EC', crv: 'P-256', x: 'AAAA' }), 'key 1: unreadable'],
    ['a short key', set(rsa(1024)), 'expected an RSA key of at least 2048 bits, found one of 1024'],
    ['halves of two keys', set({ ...ec(), d: ec().d ?? '' }), 'found those of two'],
    ['another algorithm', set({ ...ec(), alg: 'RS256' }), 'expected alg ES256, found RS256'],
    ['another use', set({ ...ec(), use: 'enc' }), 'expected use sig, found enc'],
    ['one id twice', set({ ...ec(), kid: 'a' }, { ...ec(), kid: 'a' }), 'found a twice'],
    ['a bad second key', set(ec(), { kty: 'OKP', crv: 'Ed25519' }), 'key 2: expected kty EC'],
  ] as const) {
    it(`are refused, with what was expected: ${what}`, () => {
      expect(refusal(text)).to.include(message)
    })
  }

  it('are not quoted by what refuses them', () => {
    const jwk = ec()
    const { d = '' } = jwk
    for (const text of [
      set({ ...jwk, x: 'AAAA' }),
      set({ ...jwk, alg: 'x' }),
      set(jwk).slice(0, -2),
      set({ ...ec(), d }),
    ]) {
      expect(refusal(text)).not.to.equal('accepted').and.not.to.include(d)
    }
  })
})
