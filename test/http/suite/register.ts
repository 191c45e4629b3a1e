import { expect } from 'chai'
import { outcome } from '../../support/http-client.ts'
import { goodPassword, newName, newPerson } from './people.ts'
import type { Running } from './test-server.ts'

const badUsername =
  'Enter a valid username. This value may contain only letters, numbers, and underscores and may not be entirely numeric.'
const usernameTaken = 'A user with that username already exists.'
const emailTaken = 'A user with that email address already exists.'
const tooLong = (characters: number) => `Ensure this field has no more than ${characters} characters.`
const tooShort = 'This password is too short. It must contain at least 8 characters.'
const tooCommon = 'This password is too common.'
const numeric = 'This password is entirely numeric.'

export function registerCases(running: Running): void {
  const register = (fields: Record<string, unknown>) => running().client.post('/api/user/create/', fields)
  const errorsOf = async (fields: Record<string, unknown>) => {
    const { status, body } = outcome(await register(fields))
    return status === 400 ? body : `${status}, expected 400`
  }
  const good = () => ({ username: newName(), password: goodPassword })

  describe('registration', () => {
    it('answers as the documentation shows', async () => {
      const username = newName('egekaya')
      const answered = await register({ username, email: '', password: goodPassword })
      expect(outcome(answered)).to.deep.equal({ status: 201, body: { email: '', username } })
      expect(answered.headers.location).to.equal(`/api/users/${username}/`)
      expect(await errorsOf({})).to.deep.equal({
        username: ['This field is required.'],
        password: ['This field is required.'],
      })
    })

    it('takes a whole profile, seen by the next request', async () => {
      const fields = {
        first_name: ' Lewis ',
        last_name: 'Hamilton',
        bio: '7-time world champion',
        fav_sport_1: 'Formula 1',
        fav_sport_2: 'Formula 2',
        fav_sport_3: 'Formula E',
        location: 'Monaco',
        avatar: 'https://example.org/a.png',
      }
      const { path, auth, id, username, email } = await newPerson(running(), fields)
      const { body } = await running().client.get(path, auth)
      expect(body).to.deep.equal({ id, username, email, privacy: false, ...fields, first_name: 'Lewis' })
    })

    it('takes a form as well', async () => {
      const username = newName()
      const form = `username=${username}&password=${encodeURIComponent(goodPassword)}&email=&bio=a+b%26c`
      const answered = await running().client.ask('POST', '/api/user/create/', { form })
      expect(outcome(answered)).to.deep.equal({ status: 201, body: { email: '', username } })
      expect((await running().client.get(`/api/users/${username}/`)).body).to.have.property('bio', 'a b&c')
    })

    it('takes several users without an address, and empty texts', async () => {
      for (const more of [{}, { email: '' }, { email: ' ', avatar: '', bio: '', location: '' }]) {
        const { status } = await register({ ...good(), ...more })
        expect(status).to.equal(201)
      }
    })

    it('takes a number for its text', async () => {
      const digits = Math.floor(Math.random() * 1e9)
      expect(await errorsOf({ username: digits, password: goodPassword })).to.deep.equal({
        username: [badUsername],
      })
      expect(await errorsOf({ ...good(), password: 84736251940 })).to.deep.equal({ password: [numeric] })
    })

    it('points to the profile with a percent-encoded path', async () => {
      const username = newName('Şa')
      const { headers } = await register({ username, password: goodPassword })
      expect(headers.location).to.equal(`/api/users/${encodeURIComponent(username)}/`)
      expect((await running().client.get(String(headers.location))).body).to.have.property(
        'username',
        username,
      )
    })

    it('tells first, all together, what is missing, null, no text, blank, NUL or a surrogate', async () => {
      const raw =
        '{"username":null,"email":"a\\ud800b","first_name":true,"bio":"\\u0000","location":[],"avatar":"x\\udc00\\u0000"}'
      const headers = { 'Content-Type': 'application/json' }
      const answered = await running().client.ask('POST', '/api/user/create/', { raw, headers })
      expect(answered.text).to.equal(
        JSON.stringify({
          username: ['This field may not be null.'],
          email: ['Surrogate characters are not allowed: U+D800.'],
          password: ['This field is required.'],
          first_name: ['Not a valid string.'],
          bio: ['Null characters are not allowed.'],
          location: ['Not a valid string.'],
          avatar: ['Null characters are not allowed.', 'Surrogate characters are not allowed: U+DC00.'],
        }),
      )
      expect(await errorsOf({ username: ' ', password: ' \u3000', email: null })).to.deep.equal({
        username: ['This field may not be blank.'],
        email: ['This field may not be null.'],
        password: ['This field may not be blank.'],
      })
    })

    it('tells of those alone, as long as there are any', async () => {
      expect(await errorsOf({ username: 'a b', password: '1', email: 'x', bio: null })).to.deep.equal({
        bio: ['This field may not be null.'],
      })
    })

    it('tells all the rest together, in the order of the fields', async () => {
      const { username } = await newPerson(running())
      const answered = await register({
        avatar: 'x'.repeat(8193),
        location: 'x'.repeat(201),
        fav_sport_3: 'x'.repeat(101),
        fav_sport_2: 'x'.repeat(101),
        fav_sport_1: 'x'.repeat(101),
        bio: 'x'.repeat(2001),
        last_name: 'x'.repeat(151),
        first_name: 'x'.repeat(151),
        password: '1234567',
        email: 'nobody',
        username,
      })
      expect(answered.text).to.equal(
        JSON.stringify({
          username: [usernameTaken],
          email: ['Enter a valid email address.'],
          password: [tooShort, tooCommon, numeric],
          first_name: [tooLong(150)],
          last_name: [tooLong(150)],
          bio: [tooLong(2000)],
          fav_sport_1: [tooLong(100)],
          fav_sport_2: [tooLong(100)],
          fav_sport_3: [tooLong(100)],
          location: [tooLong(200)],
          avatar: [tooLong(8192)],
        }),
      )
    })

    it('takes texts of just the greatest length, in code points', async () => {
      const { status } = await register({ ...good(), bio: '🏀'.repeat(2000), avatar: 'x'.repeat(8192) })
      expect(status).to.equal(201)
    })
  })

  describe('a username', () => {
    for (const username of ['a', 'Ege_Kaya', '_1', 'Straße', 'हिन्दी', '李小龙', 'Ωmega', '1a', '__proto__']) {
      it(`may be ${username}`, async () => {
        const unique = `${username}${newName('')}`
        const answered = await register({ username: unique, password: goodPassword })
        expect(outcome(answered)).to.deep.equal({ status: 201, body: { email: '', username: unique } })
      })
    }

    for (const username of [
      'a b',
      'a-b',
      'a.b',
      'a@b',
      '12345',
      '١٢٣',
      '１２３',
      '①②',
      '²',
      'a\u200db',
      '\u0301a',
      '🏀',
      'ﷺ',
    ]) {
      it(`may not be ${JSON.stringify(username)}`, async () => {
        expect(await errorsOf({ username, password: goodPassword })).to.deep.equal({
          username: [badUsername],
        })
      })
    }

    it('may have 150 code points, and is told only its length if it has more', async () => {
      const longest = `${newName()}${'𐐀'.repeat(150 - newName().length)}`
      expect((await register({ username: longest, password: goodPassword })).status).to.equal(201)
      for (const longer of ['x'.repeat(151), '!'.repeat(151)]) {
        expect(await errorsOf({ username: longer, password: goodPassword })).to.deep.equal({
          username: [tooLong(150)],
        })
      }
    })

    it('is taken in any letter case and Unicode form', async () => {
      const suffix = newName('')
      await register({ username: `Straße${suffix}`, password: goodPassword })
      for (const spelt of [`straße${suffix}`, `STRASSE${suffix}`, `Straẞe${suffix}`, `ｓtraße${suffix}`]) {
        expect(await errorsOf({ username: spelt, password: goodPassword }), spelt).to.deep.equal({
          username: [usernameTaken],
        })
      }
    })
  })

  describe('an address', () => {
    for (const address of [
      'a@localhost',
      'a@[127.0.0.1]',
      'a@münchen.example',
      '"a(b"@x.org',
      'a+b@x.museum',
    ]) {
      it(`may be ${address}`, async () => {
        const unique = address.replace(/^"?a/, start => `${start}${newName('')}`)
        expect((await register({ ...good(), email: unique })).status).to.equal(201)
      })
    }

    for (const address of [
      'a',
      'a@',
      '@x.org',
      'a@x',
      'a b@x.org',
      'a@x..org',
      'a@-x.org',
      'a@[300.0.0.1]',
    ]) {
      it(`may not be ${address}`, async () => {
        expect(await errorsOf({ ...good(), email: address })).to.deep.equal({
          email: ['Enter a valid email address.'],
        })
      })
    }

    it('may have 254 characters and is told all that is wrong with it', async () => {
      const email = `${newName()}@${`${'x'.repeat(60)}.`.repeat(3)}org`
      expect((await register({ ...good(), email: email.padStart(254, 'a') })).status).to.equal(201)
      expect(await errorsOf({ ...good(), email: email.padStart(255, 'a') })).to.deep.equal({
        email: [tooLong(254)],
      })
      expect(await errorsOf({ ...good(), email: 'a'.repeat(255) })).to.deep.equal({
        email: [tooLong(254), 'Enter a valid email address.'],
      })
    })

    it('is taken in any letter case, its domain in Unicode and in ASCII', async () => {
      const name = newName()
      await register({ ...good(), email: `${name}@Bücher.example` })
      for (const spelt of [`${name.toUpperCase()}@BÜCHER.example`, `${name}@xn--bcher-kva.example`]) {
        expect(await errorsOf({ ...good(), email: spelt }), spelt).to.deep.equal({ email: [emailTaken] })
      }
    })

    it('is told to be taken together with the username', async () => {
      const { username, email } = await newPerson(running())
      expect(await errorsOf({ username, email, password: goodPassword })).to.deep.equal({
        username: [usernameTaken],
        email: [emailTaken],
      })
    })

    it('is looked up although something else is wrong', async () => {
      const { email } = await newPerson(running())
      expect(await errorsOf({ username: 'a b', email, password: 'abc' })).to.deep.equal({
        username: [badUsername],
        email: [emailTaken],
        password: [tooShort, tooCommon],
      })
    })
  })

  describe('a password', () => {
    const problems = async (password: string, more: Record<string, unknown> = {}) =>
      errorsOf({ ...good(), password, ...more })

    it('is not trimmed', async () => {
      const username = newName()
      const password = `  ${goodPassword} `
      expect((await register({ username, password })).status).to.equal(201)
      const login = (attempt: string) =>
        running().client.post('/api/token/obtain/', { username, password: attempt })
      expect((await login(password)).status).to.equal(200)
      expect((await login(goodPassword)).status).to.equal(401)
    })

    it('has 8 to 128 characters', async () => {
      expect(await problems('xkqzvwj')).to.deep.equal({ password: [tooShort] })
      expect(await problems('🏀🎾🏐🏈⚽🥊🏓')).to.deep.equal({ password: [tooShort] })
      expect((await register({ ...good(), password: 'xkqzvwjp' })).status).to.equal(201)
      expect((await register({ ...good(), password: 'xkqzvwjp'.repeat(16) })).status).to.equal(201)
      expect(await problems(`${'xkqzvwjp'.repeat(16)}x`)).to.deep.equal({ password: [tooLong(128)] })
    })

    it('is told all that is wrong with it', async () => {
      expect(await problems('12345')).to.deep.equal({ password: [tooShort, tooCommon, numeric] })
      expect(await problems('password')).to.deep.equal({ password: [tooCommon] })
      expect(await problems('84736251940')).to.deep.equal({ password: [numeric] })
    })

    for (const [what, fields] of [
      ['username', { username: `vettelschu${newName('').slice(-6)}` }],
      ['first name', { first_name: 'Vettelschu' }],
      ['last name', { last_name: 'Vettelschu' }],
      ['email address', { email: `vettelschu@${newName('x').replace('_', '')}.example` }],
    ] as const) {
      it(`is not similar to the ${what}`, async () => {
        const password = 'vettelschu1'
        const similar = `The password is too similar to the ${what}.`
        expect(await problems(password, fields)).to.deep.equal({ password: [similar] })
      })
    }
  })
}
