import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import jwt from 'jsonwebtoken'
import { DomainError } from '../../src/account/domain-error.ts'
import { createTokens } from '../../src/account/tokens.ts'
import { anyUnicode } from '../support/any-unicode.ts'

const secret = Buffer.alloc(32, 7)
const tokens = createTokens({ secret })
const strangers = createTokens({ secret: Buffer.alloc(32, 8) })

const session = { userId: 4, username: 'egekaya', sessionId: '6f3a8f4e-5b1e-4a9e-9e6e-0123456789ab' }
const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const access = { ...session, issuedAt: now, expiresAt: now + 300_000 }
const refresh = { ...session, counter: 3, issuedAt: now, expiresAt: now + 1_209_600_000 }

function refusal(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof DomainError) return error.code
    throw error
  }
  return 'none'
}

function partsOf(token: string): unknown[] {
  return token
    .split('.')
    .slice(0, 2)
    .map(part => JSON.parse(Buffer.from(part, 'base64url').toString()))
}

function signed(header: object, claims: object | string, key: Buffer = secret): string {
  const encode = (part: object | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

describe('an access token', () => {
  it('says whose it is, of which session and until when', () => {
    const [header, claims] = partsOf(tokens.accessToken(access))
    expect(header).to.include({ typ: 'JWT', alg: 'HS256' })
    expect(header).to.have.all.keys('typ', 'alg', 'kid')
    expect(claims).to.deep.include({
      token_type: 'access',
      exp: Math.floor(now / 1000) + 300,
      iat: Math.floor(now / 1000),
      user_id: 4,
      username: 'egekaya',
      sid: session.sessionId,
    })
    expect(claims)
      .to.have.property('jti')
      .that.matches(/^[0-9a-f]{32}$/)
    expect(claims).to.have.all.keys('token_type', 'exp', 'iat', 'jti', 'user_id', 'username', 'sid')
  })

  it('is read back, up to the second it expires in', () => {
    const token = tokens.accessToken(access)
    const lastMoment = Math.floor(access.expiresAt / 1000) * 1000
    expect(tokens.readAccess(token, now)).to.deep.equal(session)
    expect(tokens.readAccess(token, lastMoment - 1)).to.deep.equal(session)
    expect(refusal(() => tokens.readAccess(token, lastMoment))).to.equal('token_invalid')
  })

  it('is the same for the same content, and another at another time', () => {
    const later = { ...access, issuedAt: now + 1000, expiresAt: now + 301_000 }
    expect(createTokens({ secret }).accessToken(access)).to.equal(tokens.accessToken(access))
    expect(tokens.accessToken(later)).to.not.equal(tokens.accessToken(access))
  })

  it('is refused as of the wrong type when it is a good refresh token', () => {
    expect(refusal(() => tokens.readAccess(tokens.refreshToken(refresh), now))).to.equal('token_wrong_type')
  })

  it('can be verified by any library', () => {
    const claims = jwt.verify(tokens.accessToken(access), secret, { clockTimestamp: now / 1000 })
    expect(claims).to.include({ user_id: 4 })
  })
})

describe('a refresh token', () => {
  it('says which one of its session it is', () => {
    const [, claims] = partsOf(tokens.refreshToken(refresh))
    expect(claims).to.deep.include({ token_type: 'refresh', n: 3, user_id: 4, sid: session.sessionId })
    expect(tokens.readRefresh(tokens.refreshToken(refresh), now)).to.deep.equal({ ...session, counter: 3 })
  })

  it('is the same for the same content, with an id of its own for each counter', () => {
    const ids = [0, 1, 2].map(counter => {
      const token = tokens.refreshToken({ ...refresh, counter })
      expect(tokens.refreshToken({ ...refresh, counter })).to.equal(token)
      const [, claims] = partsOf(token)
      return JSON.stringify(claims).match(/"jti":"([0-9a-f]{32})"/)?.[1]
    })
    expect(new Set(ids).size).to.equal(3)
  })

  it('is refused as of the wrong type when it is a good access token', () => {
    expect(refusal(() => tokens.readRefresh(tokens.accessToken(access), now))).to.equal('token_wrong_type')
  })

  it('comes back as it was given, whoever has it', () => {
    const content = fc.record({
      userId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      username: fc.string({ unit: 'grapheme', maxLength: 150 }),
      sessionId: fc.uuid(),
      counter: fc.nat(),
      lifetime: fc.integer({ min: 1000, max: 10 ** 10 }),
      issuedAt: fc.integer({ min: 1000, max: 4 * 10 ** 12 }),
    })
    fc.assert(
      fc.property(content, ({ lifetime, issuedAt, ...rest }) => {
        const token = tokens.refreshToken({ ...rest, issuedAt, expiresAt: issuedAt + lifetime })
        expect(tokens.readRefresh(token, issuedAt - 1000)).to.deep.equal(rest)
      }),
    )
  })
})

describe('a token is invalid', () => {
  const claims = partsOf(tokens.refreshToken(refresh))[1]
  const good = { ...(typeof claims === 'object' ? claims : {}) }
  const header = { typ: 'JWT', alg: 'HS256' }

  it('unlike the one that these cases are made from', () => {
    expect(tokens.readRefresh(signed(header, good), now)).to.deep.equal({ ...session, counter: 3 })
  })

  for (const [reason, token] of [
    ['it is empty', ''],
    ['it is no token', 'abc'],
    ['it has parts that are nothing', '..'],
    ['it has four parts', `${tokens.refreshToken(refresh)}.x`],
    ['somebody else signed it', strangers.refreshToken(refresh)],
    ['somebody else signed one of the wrong type', strangers.accessToken(access)],
    ['it has no signature', tokens.refreshToken(refresh).replace(/[^.]*$/, '')],
    ['it wants no signature', `${signed({ alg: 'none' }, good).replace(/[^.]*$/, '')}`],
    ['it names another algorithm', signed({ typ: 'JWT', alg: 'HS512' }, good)],
    ['it is signed with an empty key', signed(header, good, Buffer.alloc(0))],
    ['it is expired', tokens.refreshToken({ ...refresh, expiresAt: now - 1 })],
    ['it is expired and of the wrong type', tokens.accessToken({ ...access, expiresAt: now })],
    ['it never expires', signed(header, { ...good, exp: undefined })],
    ['its expiry is a text', signed(header, { ...good, exp: '9999999999' })],
    ['it is of a third type', signed(header, { ...good, token_type: 'sliding' })],
    ['it is of no type', signed(header, { ...good, token_type: undefined })],
    ['its counter is missing', signed(header, { ...good, n: undefined })],
    ['its counter is negative', signed(header, { ...good, n: -1 })],
    ['its user is a text', signed(header, { ...good, user_id: '4' })],
    ['its user has no name', signed(header, { ...good, username: null })],
    ['its session is missing', signed(header, { ...good, sid: undefined })],
    ['its claims are a text', signed(header, '"refresh"')],
    ['its claims are a list', signed(header, '[]')],
    ['its claims are not JSON', signed(header, '{')],
  ] as const) {
    it(`when ${reason}`, () => {
      expect(refusal(() => tokens.readRefresh(token, now))).to.equal('token_invalid')
    })
  }

  it('when one character of it was changed', () => {
    const token = tokens.refreshToken(refresh)
    fc.assert(
      fc.property(fc.nat({ max: token.length - 1 }), fc.constantFrom(...'Aa0-_.'), (at, char) => {
        fc.pre(token[at] !== char)
        const changed = token.slice(0, at) + char + token.slice(at + 1)
        expect(refusal(() => tokens.readRefresh(changed, now))).to.equal('token_invalid')
      }),
    )
  })

  it('whatever text it is', () => {
    fc.assert(
      fc.property(fc.oneof(anyUnicode(), fc.base64String()), text => {
        expect(refusal(() => tokens.readAccess(text, now))).to.equal('token_invalid')
      }),
    )
  })
})

describe('a reset token', () => {
  const reset = {
    userId: 42,
    id: '0d9c6c1e-1111-4222-8333-444455556666',
    expiresAt: '2026-01-03T03:04:05.678Z',
  }
  const token = tokens.resets.make(reset)

  it('names the user and the reset in characters that a link can have', () => {
    expect(token).to.match(/^42\.0d9c6c1e-1111-4222-8333-444455556666\.[\w-]{43}$/)
    expect(encodeURIComponent(token)).to.equal(token)
    expect(createTokens({ secret }).resets.make(reset)).to.equal(token)
  })

  it('is known again with the expiry it was made for', () => {
    const parsed = tokens.resets.parse(token)
    expect(parsed).to.include({ userId: 42, id: reset.id })
    expect(parsed && tokens.resets.isGenuine(parsed, reset.expiresAt)).to.equal(true)
    expect(parsed && tokens.resets.isGenuine(parsed, '2026-01-03T03:04:05.679Z')).to.equal(false)
  })

  it('is not made by anybody else', () => {
    const parsed = tokens.resets.parse(strangers.resets.make(reset))
    expect(parsed && tokens.resets.isGenuine(parsed, reset.expiresAt)).to.equal(false)
  })

  it('is not the one of another user or reset', () => {
    for (const other of [
      { ...reset, userId: 43 },
      { ...reset, id: reset.id.replace('0', '1') },
    ]) {
      const mac = token.slice(token.lastIndexOf('.') + 1)
      const parsed = tokens.resets.parse(`${other.userId}.${other.id}.${mac}`)
      expect(parsed).to.include({ userId: other.userId, id: other.id })
      expect(parsed && tokens.resets.isGenuine(parsed, reset.expiresAt)).to.equal(false)
    }
  })

  it('is refused with any one character changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: token.length - 1 }), fc.constantFrom(...'Aa01-_.=+/ '), (at, char) => {
        fc.pre(token[at] !== char)
        const parsed = tokens.resets.parse(token.slice(0, at) + char + token.slice(at + 1))
        expect(parsed !== null && tokens.resets.isGenuine(parsed, reset.expiresAt)).to.equal(false)
      }),
    )
  })

  for (const text of ['', 'abc', '..', token.slice(0, -1), `${token}A`, `${token}\n`, `0${token}`]) {
    it(`is not ${JSON.stringify(text).slice(0, 30)}`, () => {
      expect(tokens.resets.parse(text)).to.equal(null)
    })
  }

  it('has no user whose number is not exact', () => {
    expect(tokens.resets.parse(`9007199254740992.a.${'A'.repeat(43)}`)).to.equal(null)
    expect(tokens.resets.parse(`9007199254740991.a.${'A'.repeat(43)}`)).to.include({
      userId: 9007199254740991,
    })
  })
})
