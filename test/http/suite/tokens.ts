import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { eventually } from '../../support/eventually.ts'
import { outcome, textIn } from '../../support/http-client.ts'
import { claimsIn, goodPassword, newName, newPerson } from './people.ts'
import type { Running } from './test-server.ts'

const refused = {
  status: 401,
  body: { detail: 'No active account found with the given credentials' },
}
const invalid = { status: 401, body: { detail: 'Token is invalid or expired', code: 'token_not_valid' } }
const wrongType = { status: 401, body: { detail: 'Token has wrong type', code: 'token_not_valid' } }

export function tokenCases(running: Running): void {
  const obtain = (json: unknown) => running().client.post('/api/token/obtain/', json)
  const refresh = (token: unknown) => running().client.post('/api/token/refresh/', { refresh: token })

  describe('login', () => {
    it('gives an access and a refresh token', async () => {
      const { username, id } = await newPerson(running())
      const answered = await obtain({ username, password: goodPassword })
      expect(answered.status).to.equal(200)
      expect(answered.body).to.have.all.keys('refresh', 'access')
      const [access, refreshed] = [
        claimsIn(textIn(answered, 'access')),
        claimsIn(textIn(answered, 'refresh')),
      ]
      for (const claims of [access, refreshed]) {
        expect(claims).to.include({ user_id: id, username })
        expect(claims).to.include.keys('token_type', 'exp', 'iat', 'jti', 'sid')
      }
      expect(access.token_type).to.equal('access')
      expect(refreshed.token_type).to.equal('refresh')
      expect(Number(access.exp) - Number(access.iat)).to.equal(300)
      expect(Number(refreshed.exp) - Number(refreshed.iat)).to.equal(14 * 86_400)
      expect(access.jti).not.to.equal(refreshed.jti)
    })

    it('signs them with HS256', async () => {
      const { access, refresh: second } = await newPerson(running())
      for (const token of [access, second]) {
        expect(jwt.verify(token, running().jwtSecret, { algorithms: ['HS256'] })).to.have.property('sid')
      }
    })

    it('takes the username in any letter case and Unicode form', async () => {
      const suffix = newName('')
      await newPerson(running(), { username: `Straße${suffix}` })
      for (const username of [`STRASSE${suffix}`, ` straẞe${suffix} `, `ｓｔｒａｓｓｅ${suffix}`]) {
        expect((await obtain({ username, password: goodPassword })).status, username).to.equal(200)
      }
    })

    it('is refused alike for a wrong username and a wrong password', async () => {
      const { username } = await newPerson(running())
      for (const login of [
        { username, password: 'wrong' },
        { username, password: `${goodPassword} ` },
        { username: newName(), password: goodPassword },
        { username: 'a b', password: goodPassword },
        { username: 'x'.repeat(10_000), password: 'x'.repeat(10_000) },
      ]) {
        const answered = await obtain(login)
        expect(outcome(answered)).to.deep.equal(refused)
        expect(answered.headers['www-authenticate']).to.equal('Bearer realm="api"')
      }
    })

    it('asks for no more than presence and type', async () => {
      expect(outcome(await obtain({ username: 1, password: 2 }))).to.deep.equal(refused)
      expect(outcome(await obtain({ username: '', password: true }))).to.deep.equal({
        status: 400,
        body: { username: ['This field may not be blank.'], password: ['Not a valid string.'] },
      })
      expect(outcome(await obtain({}))).to.deep.equal({
        status: 400,
        body: { username: ['This field is required.'], password: ['This field is required.'] },
      })
    })
  })

  describe('refresh', () => {
    it('gives the next tokens, whose time starts anew', async () => {
      const person = await newPerson(running())
      const answered = await refresh(person.refresh)
      expect(answered.status).to.equal(200)
      expect(answered.body).to.have.all.keys('access', 'refresh')
      const next = claimsIn(textIn(answered, 'refresh'))
      const before = claimsIn(person.refresh)
      expect(next).to.include({ sid: before.sid, user_id: person.id })
      expect(Number(next.exp) - Number(next.iat)).to.equal(14 * 86_400)
      const { client } = running()
      const auth = { Authorization: `Bearer ${textIn(answered, 'access')}` }
      expect((await client.put(person.path, { bio: 'still here' }, auth)).status).to.equal(200)
      expect((await refresh(textIn(answered, 'refresh'))).status).to.equal(200)
    })

    it('gives the same refresh token to tabs that refresh at once', async () => {
      const person = await newPerson(running())
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(person.refresh)))
      expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]))
      const tokens = new Set(answers.map(answered => textIn(answered, 'refresh')))
      expect(tokens.size).to.equal(1)
      expect((await refresh([...tokens][0])).status).to.equal(200)
    })

    it('is refused to anything but a live refresh token', async () => {
      const person = await newPerson(running())
      const claims = claimsIn(person.refresh)
      const { jwtSecret } = running()
      for (const token of [
        'nonsense',
        'a.b.c',
        jwt.sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 1 }, jwtSecret),
        jwt.sign(claims, `${jwtSecret}x`),
        jwt.sign({ ...claims, user_id: 2 ** 50 }, jwtSecret),
        jwt.sign({ ...claims, sid: '00000000-0000-4000-8000-000000000000' }, jwtSecret),
      ]) {
        const answered = await refresh(token)
        expect(outcome(answered)).to.deep.equal(invalid)
        expect(answered.headers['www-authenticate']).to.equal('Bearer realm="api"')
      }
    })

    it('is refused to an access token', async () => {
      const { access } = await newPerson(running())
      expect(outcome(await refresh(access))).to.deep.equal(wrongType)
    })

    it('needs a token', async () => {
      expect(outcome(await refresh(undefined))).to.deep.equal({
        status: 400,
        body: { refresh: ['This field is required.'] },
      })
      expect(outcome(await refresh('  '))).to.deep.equal({
        status: 400,
        body: { refresh: ['This field may not be blank.'] },
      })
    })
  })

  describe('a refresh token presented by a thief', () => {
    it('ends the session for both', async () => {
      const { client } = running()
      const person = await newPerson(running())
      const second = textIn(await refresh(person.refresh), 'refresh')
      const third = textIn(await refresh(second), 'refresh')
      // Nobody has that token: one before the first that ever was.
      const claims = claimsIn(third)
      const stolen = jwt.sign({ ...claims, n: Number(claims.n) + 5 }, running().jwtSecret)
      expect(outcome(await refresh(stolen))).to.deep.equal(invalid)
      expect(outcome(await refresh(third))).to.deep.equal(invalid)
      const answered = await client.put(person.path, {}, person.auth)
      expect(answered.status).to.equal(401)
      expect(answered.body).to.have.property('code', 'token_not_valid')
      expect((await client.get(person.path, person.auth)).status).to.equal(200)
    })

    it('ends no other session, and is told to the owner by mail', async () => {
      const person = await newPerson(running())
      const other = await obtain({ username: person.username, password: goodPassword })
      const stolen = jwt.sign({ ...claimsIn(person.refresh), n: 5 }, running().jwtSecret)
      expect(outcome(await refresh(stolen))).to.deep.equal(invalid)
      expect((await refresh(textIn(other, 'refresh'))).status).to.equal(200)
      await eventually(async () => {
        const [mail = ''] = await running().mails(person.email)
        expect(mail).to.contain('Subject: A session of yours was ended').and.to.contain('127.0.0.0/24')
      })
    })
  })
}
