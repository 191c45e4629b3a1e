import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { outcome } from '../../support/http-client.ts'
import { goodPassword, newName, newPerson } from './people.ts'
import { type Running, type StartServer, type TestServer, withServer } from './test-server.ts'

const ok = { status: 200, body: { status: 'OK' } }
const notFound = { status: 404, body: { detail: 'Not found.' } }
const unknownEmail = {
  status: 400,
  body: {
    email: ["We couldn't find an account associated with that email. Please try a different e-mail address."],
  },
}
const newPassword = 'battery staple 43'

export function passwordResetCases(running: Running, start: StartServer): void {
  const request = (email: unknown) => running().client.post('/api/password/reset/', { email })
  const confirm = (json: unknown) => running().client.post('/api/password/reset/confirm/', json)
  const validate = (token: unknown) => running().client.post('/api/password/reset/validate_token/', { token })
  const login = (username: string, password: string) =>
    running().client.post('/api/token/obtain/', { username, password })

  async function resetToken(email: string): Promise<string> {
    expect(outcome(await request(email))).to.deep.equal(ok)
    return mailedToken(running(), email)
  }

  describe('a password reset', () => {
    it('is mailed, sets a new password and ends every session', async () => {
      const person = await newPerson(running())
      const token = await resetToken(person.email)
      expect(outcome(await validate(token))).to.deep.equal(ok)
      expect(outcome(await confirm({ password: newPassword, token }))).to.deep.equal(ok)
      expect((await login(person.username, goodPassword)).status).to.equal(401)
      expect((await login(person.username, newPassword)).status).to.equal(200)
      const { client } = running()
      const refreshed = await client.post('/api/token/refresh/', { refresh: person.refresh })
      expect(refreshed.body).to.deep.equal({ detail: 'Token is invalid or expired', code: 'token_not_valid' })
      const edit = await client.put(person.path, { bio: 'x' }, person.auth)
      expect(edit.status).to.equal(401)
      expect(edit.body).to.have.property('detail', 'Given token not valid for any token type')
    })

    it('works once', async () => {
      const { email } = await newPerson(running())
      const token = await resetToken(email)
      expect(outcome(await confirm({ password: newPassword, token }))).to.deep.equal(ok)
      expect(outcome(await confirm({ password: 'another one 44', token }))).to.deep.equal(notFound)
      expect(outcome(await validate(token))).to.deep.equal(notFound)
    })

    it('finds the address in any letter case', async () => {
      const { email } = await newPerson(running())
      expect(outcome(await request(` ${email.toUpperCase()} `))).to.deep.equal(ok)
      expect(await mailedToken(running(), email)).to.be.a('string')
    })

    it('is not asked for twice within a minute, and still answered', async () => {
      const { email } = await newPerson(running())
      const token = await resetToken(email)
      expect(outcome(await request(email))).to.deep.equal(ok)
      expect(outcome(await validate(token))).to.deep.equal(ok)
      expect(await running().resetTokens(email)).to.deep.equal([token])
    })

    it('is refused for an address that nobody has', async () =>
      expect(outcome(await request(`${newName()}@example.org`))).to.deep.equal(unknownEmail))

    it('needs an address', async () => {
      const errors = async (email: unknown) => outcome(await request(email)).body
      expect(await errors(undefined)).to.deep.equal({ email: ['This field is required.'] })
      expect(await errors('')).to.deep.equal({ email: ['This field may not be blank.'] })
      expect(await errors(['a@x.org'])).to.deep.equal({ email: ['Not a valid string.'] })
      expect(await errors('nobody')).to.deep.equal({ email: ['Enter a valid email address.'] })
    })
  })

  describe('a reset token', () => {
    it('is not found if it is unknown, altered or of another kind', async () => {
      const person = await newPerson(running())
      const token = await resetToken(person.email)
      const altered = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
      for (const wrong of ['x', '1.2.3', altered, token.toUpperCase(), person.access, person.refresh, 5]) {
        expect(outcome(await validate(wrong)), String(wrong)).to.deep.equal(notFound)
        expect(outcome(await confirm({ token: wrong, password: newPassword }))).to.deep.equal(notFound)
        // Not a word about the password, unless the token is right.
        expect(outcome(await confirm({ token: wrong, password: 'x' }))).to.deep.equal(notFound)
      }
      expect(outcome(await validate(token))).to.deep.equal(ok)
    })

    it('is not used up by a bad password, of which all is told', async () => {
      const { email, username } = await newPerson(running(), { first_name: 'Hamilton' })
      const token = await resetToken(email)
      expect(outcome(await confirm({ token, password: '12345' }))).to.deep.equal({
        status: 400,
        body: {
          password: [
            'This password is too short. It must contain at least 8 characters.',
            'This password is too common.',
            'This password is entirely numeric.',
          ],
        },
      })
      for (const [password, what] of [
        [username, 'username'],
        ['hamilton7', 'first name'],
      ] as const) {
        expect(outcome(await confirm({ token, password }))).to.deep.equal({
          status: 400,
          body: { password: [`The password is too similar to the ${what}.`] },
        })
      }
      expect(outcome(await confirm({ token, password: newPassword }))).to.deep.equal(ok)
    })

    it('is checked after the presence and type of both fields', async () => {
      expect(outcome(await confirm({}))).to.deep.equal({
        status: 400,
        body: { password: ['This field is required.'], token: ['This field is required.'] },
      })
      expect(outcome(await confirm({ token: null, password: ' ' }))).to.deep.equal({
        status: 400,
        body: { password: ['This field may not be blank.'], token: ['This field may not be null.'] },
      })
      expect(outcome(await validate(''))).to.deep.equal({
        status: 400,
        body: { token: ['This field may not be blank.'] },
      })
    })
  })

  describe('a reset token whose time is over', () => {
    const short = withServer(start, { RESET_TOKEN_TTL_SECONDS: '1' })

    it('is not found', async () => {
      const { client } = short()
      const { email } = await newPerson(short())
      await client.post('/api/password/reset/', { email })
      const token = await mailedToken(short(), email)
      await eventually(async () => {
        const answered = await client.post('/api/password/reset/validate_token/', { token })
        expect(outcome(answered)).to.deep.equal(notFound)
      })
      const confirmed = await client.post('/api/password/reset/confirm/', { token, password: newPassword })
      expect(outcome(confirmed)).to.deep.equal(notFound)
    })
  })
}

/** The newest token mailed to an address, as soon as there is one. */
export async function mailedToken(server: TestServer, email: string): Promise<string> {
  let token: string | undefined
  await eventually(async () => {
    token = (await server.resetTokens(email)).at(-1)
    expect(token).to.be.a('string')
  })
  return token ?? ''
}
