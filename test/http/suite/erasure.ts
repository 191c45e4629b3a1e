import { expect } from 'chai'
import { type Answered, outcome } from '../../support/http-client.ts'
import { mailedToken } from './password-reset.ts'
import { goodPassword, newName, newPerson, type Person } from './people.ts'
import type { Running, StartServer, TestServer } from './test-server.ts'

const gone = { status: 401, body: { detail: 'User not found', code: 'user_not_found' } }
const notFound = { status: 404, body: { detail: 'Not found.' } }
const usernameTaken = { username: ['A user with that username already exists.'] }

export const eraseUser = ({ client }: TestServer, { path, auth }: Person, password: unknown = goodPassword) =>
  client.ask('DELETE', path, { json: { password }, headers: auth })

export function erasureCases(running: Running, start: StartServer): void {
  const erase = (person: Person, password?: unknown) => eraseUser(running(), person, password)
  const register = (names: object, server = running()) =>
    server.client.post('/api/user/create/', { password: goodPassword, ...names })
  const login = ({ username }: { username: string }, server = running()) =>
    server.client.post('/api/token/obtain/', { username, password: goodPassword })
  const refresh = ({ refresh: token }: Person) =>
    running().client.post('/api/token/refresh/', { refresh: token })

  describe('an erasure', () => {
    it('makes the account and its profile go at once', async () => {
      const { client } = running()
      const person = await newPerson(running())
      const other = await login(person)
      const answered = await erase(person)
      expect(answered).to.include({ status: 204, text: '' })
      expect(answered.headers['roster-visible']).to.equal(undefined)
      for (const path of [person.path, `/api/users/${person.id}/`]) {
        expect(outcome(await client.get(path))).to.deep.equal(notFound)
        expect(outcome(await client.get(path, person.auth))).to.deep.equal(notFound)
      }
      expect((await client.get(`/api/users/?query=${person.username}`)).body).to.deep.equal([])
      expect((await login(person)).status).to.equal(401)
      expect((await refresh(person)).status).to.equal(401)
      const { body } = other
      expect((await client.post('/api/token/refresh/', body)).status).to.equal(401)
      expect(outcome(await client.put(person.path, { bio: 'x' }, person.auth))).to.deep.equal(gone)
      expect(outcome(await client.get('/api/sessions/', person.auth))).to.deep.equal(gone)
      expect(outcome(await erase(person))).to.deep.equal(gone)
      expect((await client.post('/api/password/reset/', { email: person.email })).status).to.equal(400)
    })

    it('is refused with the wrong password, or none', async () => {
      const person = await newPerson(running())
      const wrong = { status: 400, body: { password: ['Wrong password.'] } }
      expect(outcome(await erase(person, 'wrong'))).to.deep.equal(wrong)
      const none = await running().client.ask('DELETE', person.path, { headers: person.auth })
      expect(outcome(none)).to.deep.equal({ status: 400, body: { password: ['This field is required.'] } })
      expect((await login(person)).status).to.equal(200)
    })

    it('is for the owner alone, which is looked at before the body', async () => {
      const [person, other] = [await newPerson(running()), await newPerson(running())]
      const { client } = running()
      const raw = { raw: 'x'.repeat(70_000), headers: { 'Content-Type': 'text/plain' } }
      const stranger = await client.ask('DELETE', person.path, raw)
      expect(outcome(stranger)).to.deep.equal({
        status: 401,
        body: { detail: 'Authentication credentials were not provided.' },
      })
      const theirs = { ...raw, headers: { ...raw.headers, ...other.auth } }
      expect(outcome(await client.ask('DELETE', person.path, theirs))).to.deep.equal({
        status: 401,
        body: { detail: 'Unauthorized.' },
      })
      const own = { ...raw, headers: { ...raw.headers, ...person.auth } }
      expect((await client.ask('DELETE', person.path, own)).status).to.equal(413)
      const text = { raw: 'x', headers: own.headers }
      expect((await client.ask('DELETE', person.path, text)).status).to.equal(415)
      expect((await login(person)).status).to.equal(200)
    })

    it('takes a form, and the id for the name', async () => {
      const person = await newPerson(running())
      const form = new URLSearchParams({ password: goodPassword }).toString()
      const asked = { form, headers: person.auth }
      expect((await running().client.ask('DELETE', `/api/users/${person.id}/`, asked)).status).to.equal(204)
    })

    it('is refused in a session that was ended', async () => {
      const person = await newPerson(running())
      await running().client.post('/api/token/revoke/', { refresh: person.refresh })
      expect((await erase(person)).status).to.equal(401)
      expect((await login(person)).status).to.equal(200)
    })

    it('frees the address at once, and the username, in any letter case, after 30 days', async () => {
      const server = await start()
      try {
        const person = await newPerson(server)
        expect((await eraseUser(server, person)).status).to.equal(204)
        const { username, email } = person
        const again = () => register({ username: username.toUpperCase() }, server)
        expect((await register({ username, email }, server)).body).to.deep.equal(usernameTaken)
        expect((await register({ username: newName(), email }, server)).status).to.equal(201)
        server.passTime(30 * 86_400 - 60)
        expect(outcome(await again())).to.deep.equal({ status: 400, body: usernameTaken })
        server.passTime(120)
        expect((await again()).status).to.equal(201)
        expect((await login({ username }, server)).status).to.equal(200)
        const card = await server.client.get(`/api/users/${username}/`)
        expect(card.body).to.include({ username: username.toUpperCase() }).and.not.include({ id: person.id })
      } finally {
        await server.stop()
      }
    })

    it('makes an end of a token that was mailed', async () => {
      const person = await newPerson(running())
      const { client } = running()
      await client.post('/api/password/reset/', { email: person.email })
      const token = await mailedToken(running(), person.email)
      const validate = () => client.post('/api/password/reset/validate_token/', { token })
      expect((await validate()).status).to.equal(200)
      await erase(person)
      expect(outcome(await validate())).to.deep.equal(notFound)
      const confirm = { token, password: 'battery staple 43' }
      expect(outcome(await client.post('/api/password/reset/confirm/', confirm))).to.deep.equal(notFound)
    })
  })

  describe('an erasure at the same moment as', () => {
    /** Both at once, many times; whichever comes first, afterwards the user is gone. */
    async function race(action: (person: Person) => Promise<Answered>, allowed: readonly number[]) {
      for (let time = 0; time < 12; time++) {
        const person = await newPerson(running())
        const [erased, answered] = await Promise.all([erase(person), action(person)])
        expect(erased.status).to.equal(204)
        expect(answered.status).to.be.oneOf(allowed)
        expect(outcome(await running().client.get(person.path, person.auth))).to.deep.equal(notFound)
        expect((await refresh(person)).status).to.equal(401)
        expect((await login(person)).status).to.equal(401)
      }
    }

    it('an edit: the user is gone', () =>
      race(({ path, auth }) => running().client.put(path, { bio: 'late' }, auth), [200, 401]))

    it('a login: what it gave out is of no use', async () => {
      for (let time = 0; time < 12; time++) {
        const person = await newPerson(running())
        const [erased, late] = await Promise.all([erase(person), login(person)])
        expect(erased.status).to.equal(204)
        if (late.status !== 200) continue
        expect((await running().client.post('/api/token/refresh/', late.body)).status).to.equal(401)
      }
    })

    it('a refresh: the session is dead', () => race(refresh, [200, 401]))

    it('another one: one of them erases', async () => {
      const person = await newPerson(running())
      const answers = await Promise.all([erase(person), erase(person)])
      expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([204, 401])
    })

    it('a registration of the same names: the username stays taken', async () => {
      for (let time = 0; time < 12; time++) {
        const person = await newPerson(running())
        const { username, email } = person
        const [erased, late] = await Promise.all([
          erase(person),
          register({ username: username.toUpperCase(), email }),
        ])
        expect(erased.status).to.equal(204)
        expect(late.status).to.equal(400)
        expect(late.body).to.include.keys('username')
        expect((await register({ username: newName(), email })).status).to.equal(201)
      }
    })
  })
}
