import { expect } from 'chai'
import fc from 'fast-check'
import { isCommonPassword, loadCommonPasswords } from '../../src/account/common-passwords.ts'
import { type PasswordOwner, passwordProblems } from '../../src/account/password-rules.ts'
import { anyUnicode } from '../support/any-unicode.ts'

const nobody: PasswordOwner = { username: '', firstName: '', lastName: '', email: '' }
const ege: PasswordOwner = {
  username: 'egekaya',
  firstName: 'Ege Can',
  lastName: 'Kaya',
  email: 'ege@boun.example',
}

function codes(password: string, owner: PasswordOwner = nobody): string[] {
  return passwordProblems(password, owner).map(problem => problem.code)
}

function similarTo(password: string, owner: Partial<PasswordOwner>): string | null {
  const similar = passwordProblems(password, { ...nobody, ...owner }).find(problem => 'similarTo' in problem)
  return similar?.similarTo ?? null
}

describe('a new password', () => {
  for (const password of [
    'wR7!kp-20',
    'korrekt pferd batterie',
    '🦊🦊🦊🦊🦊🦊🦊🦊',
    'x7'.repeat(64),
    '½½½½½½½½',
  ]) {
    it(`is accepted: ${password.slice(0, 30)}`, () => {
      expect(codes(password, ege)).to.deep.equal([])
    })
  }

  it('is told everything that is wrong with it, in one order', () => {
    expect(
      passwordProblems('1234567', { ...nobody, lastName: '1234567', username: '7654321' }),
    ).to.deep.equal([
      { code: 'password_too_short' },
      { code: 'password_too_common' },
      { code: 'password_entirely_numeric' },
      { code: 'password_too_similar', similarTo: 'username' },
    ])
    expect(codes('1'.repeat(129))).to.deep.equal(['password_too_long', 'password_entirely_numeric'])
  })

  it('has 8 to 128 characters, counted by code points', () => {
    expect(codes('wR7!kp-')).to.deep.equal(['password_too_short'])
    expect(codes('🦊🦊🦊🦊🦊🦊🦊')).to.deep.equal(['password_too_short'])
    expect(codes('🦊'.repeat(128))).to.deep.equal([])
    expect(codes('🦊'.repeat(129))).to.deep.equal(['password_too_long'])
  })

  for (const password of ['90210481516', '٠١٢٣٤٥٦٧٨٨', '①②③④⑤⑥⑦⑧', '²²²²²²²²¹', '1٢③⁴567₈9']) {
    it(`is not entirely numeric, as ${password} is`, () => {
      expect(codes(password)).to.include('password_entirely_numeric')
    })
  }
  for (const password of ['90210481516x', '9021-0481-516', 'ⅧⅧⅧⅧⅧⅧⅧⅧ', '一二三四五六七八']) {
    it(`may look like a number: ${password}`, () => {
      expect(codes(password)).to.deep.equal([])
    })
  }
})

describe('a new password is too common', () => {
  for (const password of [
    'password',
    '12345678',
    'qwertyuiop',
    'letmein1',
    'iloveyou',
    '1q2w3e4r',
    'trustno1',
  ]) {
    it(`when it is ${password}`, () => {
      expect(codes(password)).to.include('password_too_common')
    })
  }

  it('in any letter case and with white space around it', () => {
    for (const password of ['PassWord', ' \tpassword\n', 'QWERTYUIOP']) {
      expect(codes(password)).to.deep.equal(['password_too_common'])
    }
  })

  it('and not when it only contains a common one', () => {
    for (const password of ['password-wR7', 'pass word', 'xpassword9~'])
      expect(codes(password)).to.deep.equal([])
  })

  it('and hardly ever by chance', () => {
    loadCommonPasswords()
    fc.assert(
      fc.property(anyUnicode({ minLength: 9, maxLength: 40 }), text => {
        expect(isCommonPassword(`${text}~§`)).to.equal(false)
      }),
      { numRuns: 2000 },
    )
  })
})

// Each verdict is that of Django 3.2.25's UserAttributeSimilarityValidator.
describe('a new password is too similar', () => {
  for (const [password, value] of [
    ['egekaya99', 'egekaya'],
    ['99ayakege', 'egekaya'],
    ['EGEKAYA!', 'egekaya'],
    ['abcdefg', 'abcdefghijklm'],
    ['smithjohn', 'johnsmith@example.com'],
    ['examplemail', 'john@example.com'],
    ['kaya-kaya', 'x kaya-kaya y'],
    ['i̇zmirizmir', 'İzmirİzmir'],
    ['οδοσοδοσ', 'ΟΔΟΣΟΔΟ'],
    ['हिन्दी', 'हिन्दी'],
  ] as const) {
    it(`${password} to ${value}`, () => {
      expect(similarTo(password, { username: value })).to.equal('username')
    })
  }

  for (const [password, value] of [
    ['egekaya9999x', 'ege'],
    ['abcdef', 'abcdefghijklm'],
    ['kayakaya', 'kaya'],
    ['johnsmith1', 'john.smith@example.com'],
    ['zmirizmir', 'İstanbul'],
    ['wR7!kp-20', ''],
  ] as const) {
    it(`but not ${password} to ${JSON.stringify(value)}`, () => {
      expect(similarTo(password, { username: value })).to.equal(null)
    })
  }

  it('to the first attribute that applies', () => {
    const all = { username: 'kayakaya', firstName: 'kayakaya', lastName: 'kayakaya', email: 'kayakaya@b.com' }
    expect(similarTo('kayakaya1', all)).to.equal('username')
    expect(similarTo('kayakaya1', { ...all, username: 'ege' })).to.equal('first name')
    expect(similarTo('kayakaya1', { ...all, username: 'ege', firstName: '' })).to.equal('last name')
    expect(similarTo('kayakaya1', { email: all.email })).to.equal('email address')
  })

  it('to every attribute of which it has the very letters', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{8,20}$/), value => {
        const backwards = Array.from(value).reverse().join('')
        expect(similarTo(backwards, { lastName: `${value}-x` })).to.equal('last name')
      }),
    )
  })
})
