import { expect } from 'chai'
import fc from 'fast-check'
import { claimStream, emailKey, isValidUsername, usernameKey } from '../../src/account/names.ts'
import { anyUnicode } from '../support/any-unicode.ts'

const everyCodePoint = function* () {
  for (let code = 0; code <= 0x10ffff; code++) yield String.fromCodePoint(code)
}
/** Texts in which letters that change with their neighbours meet. */
const trickyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'iIİıìjǰΐΣςσßẞŉǅﬁᾳ'),
      fc.constantFrom('\u0307', '\u0301', '\u0323', '\u0345', '\u0308', '\u0327', '\u200d'),
      fc.integer({ min: 0, max: 0x10ffff }).map(code => String.fromCodePoint(code)),
    ),
    { maxLength: 8 },
  )
  .map(parts => parts.join(''))

describe('the key of a username', () => {
  it('is the key of itself, for every code point', () => {
    for (const char of everyCodePoint()) {
      const key = usernameKey(char)
      if (key !== char && usernameKey(key) !== key)
        expect.fail(`U+${char.codePointAt(0)?.toString(16)} has no stable key`)
    }
  })

  it('is the key of itself, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(trickyText, anyUnicode()), text => {
        const key = usernameKey(text)
        expect(usernameKey(key)).to.equal(key)
      }),
      { numRuns: 1000 },
    )
  })

  it('stays the same when an i loses its dot before another mark', () => {
    expect(usernameKey('İ\u0301')).to.equal('í')
  })

  for (const [one, other] of [
    ['Straẞe', 'straße'],
    ['STRASSE', 'strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['İzmir', 'izmir'],
    ['IZMIR', 'izmir'],
    ['ﬁx', 'FIX'],
    ['①②', '12'],
    ['Ａｄａ', 'ada'],
    ['e\u0301ge', 'ÉGE'],
    ['हिन्दी', 'हिन्दी'],
    ['__PROTO__', '__proto__'],
  ] as const) {
    it(`is one for ${one} and ${other}`, () => {
      expect(usernameKey(one)).to.equal(usernameKey(other))
    })
  }

  it('differs for names that differ in more than form', () => {
    const names = ['ege', 'egé', 'eqe', 'ege_', 'strasse1', 'ﷺ', 'हिन्दी', 'हिन्द', '__proto__']
    expect(new Set(names.map(usernameKey)).size).to.equal(names.length)
  })

  it('is found in the key of a longer name, at a final sigma too', () => {
    expect(usernameKey('ΟΔΟΣΑ')).to.include(usernameKey('ΟΔΟΣ'))
    expect(usernameKey('İzmirli')).to.include(usernameKey('izmir'))
  })
})

describe('a username', () => {
  for (const name of ['ege', 'a', '_', '__proto__', '1a', 'हिन्दी', 'Ωmega', '李', 'x'.repeat(150), '𝒜da']) {
    it(`is valid: ${name.slice(0, 20)}`, () => {
      expect(isValidUsername(name)).to.equal(true)
    })
  }

  for (const [name, reason] of [
    ['', 'is empty'],
    ['a b', 'has a space'],
    ['a-b', 'has a sign'],
    ['a.b', 'has a dot'],
    ['a@b', 'has an at'],
    ['ege\n', 'ends with a new line'],
    ['12345', 'is entirely numeric'],
    ['٣٤', 'is entirely numeric in another script'],
    ['①②', 'is no number as typed, and entirely numeric in NFKC'],
    ['²', 'is a superscript'],
    ['ﷺ', 'has spaces in NFKC'],
    ['\u0301a', 'begins with a mark'],
    ['a\u0000', 'has a NUL'],
    ['👤', 'is a picture'],
    ['x'.repeat(151), 'has more than 150 code points'],
    ['㎢'.repeat(60), 'has more than 150 code points in NFKC'],
  ] as const) {
    it(`is refused when it ${reason}`, () => {
      expect(isValidUsername(name)).to.equal(false)
    })
  }

  it('counts code points, not UTF-16 units', () => {
    expect(isValidUsername('𐐀'.repeat(150))).to.equal(true)
  })

  it('is never only digits under its key', () => {
    fc.assert(
      fc.property(fc.oneof(trickyText, fc.stringMatching(/^[\p{L}\p{Nd}]{1,4}$/u)), name => {
        fc.pre(isValidUsername(name))
        expect(usernameKey(name)).to.not.match(/^[0-9]*$/)
      }),
    )
  })
})

describe('the key of an address', () => {
  for (const [one, other] of [
    ['Ege@Example.COM', 'ege@example.com'],
    ['a@faß.de', 'a@XN--FA-HIA.de'],
    ['a@bücher.example', 'A@xn--bcher-kva.example'],
    ['a@例え。テスト', 'a@xn--r8jz45g.xn--zckzah'],
    ['a@１２７.１０', 'a@127.10'],
    ['"A b"@localhost', '"a B"@LOCALHOST'],
  ] as const) {
    it(`is one for ${one} and ${other}`, () => {
      expect(emailKey(one)).to.equal(emailKey(other))
    })
  }

  for (const [address, key] of [
    ['a@[IPv6:::1]', 'a@[ipv6:::1]'],
    ['a@127.10', 'a@127.10'],
    ['a@É.com/path', 'a@é.com/path'],
    ['a@é%2ecom', 'a@é%2ecom'],
    ['a@é.com:25', 'a@é.com:25'],
    ['a@b@C', 'a@b@c'],
    ['nowhere', 'nowhere'],
    ['', ''],
  ] as const) {
    it(`of ${JSON.stringify(address)} is in lower case and otherwise left alone`, () => {
      expect(emailKey(address)).to.equal(key)
    })
  }

  it('is the key of itself, for any text', () => {
    const anyText = fc.oneof(fc.emailAddress(), trickyText, anyUnicode())
    fc.assert(
      fc.property(anyText, trickyText, (local, domain) => {
        for (const address of [local, `${local}@${domain}`, `${local}@${domain}.com`]) {
          const key = emailKey(address)
          expect(emailKey(key)).to.equal(key)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('is the key of itself, for every code point in the domain that has another form', () => {
    for (const char of everyCodePoint()) {
      if (char.toLowerCase() === char && char.normalize('NFKC') === char) continue
      const key = emailKey(`a@b${char}.com`)
      if (emailKey(key) !== key) expect.fail(`U+${char.codePointAt(0)?.toString(16)} has no stable key`)
    }
  })
})

describe('the stream of a claim', () => {
  const namesKey = Buffer.alloc(32, 7)

  it('is named by kind and digest, the same each time', () => {
    const stream = claimStream('username', usernameKey('Ege'), namesKey)
    expect(stream).to.match(/^username-[\w-]{43}$/)
    expect(claimStream('username', usernameKey('EGE'), namesKey)).to.equal(stream)
  })

  it('differs by name, by kind and by the key of the log', () => {
    const streams = [
      claimStream('username', usernameKey('ege'), namesKey),
      claimStream('username', usernameKey('can'), namesKey),
      claimStream('email', emailKey('ege'), namesKey),
      claimStream('username', usernameKey('ege'), Buffer.alloc(32, 8)),
    ]
    const digests = streams.map(stream => stream.slice(stream.indexOf('-')))
    expect(new Set(digests).size).to.equal(streams.length)
  })
})
