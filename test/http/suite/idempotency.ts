import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { type Answered, outcome, textIn } from '../../support/http-client.ts'
import { mailedToken } from './password-reset.ts'
import { claimsIn, goodPassword, newName, newPerson, type Person } from './people.ts'
import { type Running, type StartServer, type TestServer, withTwoServers } from './test-server.ts'

const newPassword = 'battery staple 43'
const reused = { status: 422, body: { detail: 'This Idempotency-Key was used with another request.' } }
const quoted = (key: string) => ({ 'Idempotency-Key': `"${key}"` })

/** A command as a client sends it, again and again. */
type Command = {
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  json?: object
  headers?: Person['auth']
}

/** What of an answer must not change: all but what is each request's own. */
function shown({ status, text, headers }: Answered) {
  const { location, etag } = headers
  return { status, text, location, etag }
}

/** Does a command with a key, and gives the answer, and the id by which its events are found. */
async function send(server: TestServer, command: Command, key: string) {
  const { method, path, json, headers } = command
  const requestId = randomUUID()
  const all = { ...headers, ...quoted(key), 'X-Request-Id': requestId }
  const answered = await server.client.ask(method, path, { ...(json ? { json } : {}), headers: all })
  return { answered, requestId }
}

export function idempotencyCases(running: Running, start: StartServer): void {
  const register = (fields: object): Command => ({
    ...{ method: 'POST', path: '/api/user/create/' },
    json: { password: goodPassword, ...fields },
  })
  const login = (person: Person, password = goodPassword): Command => ({
    ...{ method: 'POST', path: '/api/token/obtain/' },
    json: { username: person.username, password },
  })
  const refresh = (token: string): Command => ({
    ...{ method: 'POST', path: '/api/token/refresh/', json: { refresh: token } },
  })
  const edit = (person: Person, json: object): Command => ({
    ...{ method: 'PUT', path: person.path, json, headers: person.auth },
  })
  const changePassword = (person: Person, json: object): Command => ({
    ...{ method: 'POST', path: '/api/password/change/', json, headers: person.auth },
  })
  const changeEmail = (person: Person, json: object): Command => ({
    ...{ method: 'POST', path: '/api/email/change/', json, headers: person.auth },
  })
  const confirmReset = (token: string, password: string): Command => ({
    ...{ method: 'POST', path: '/api/password/reset/confirm/', json: { token, password } },
  })
  const endSession = (person: Person, id: string): Command => ({
    ...{ method: 'DELETE', path: `/api/sessions/${id}/`, headers: person.auth },
  })

  /** Sends a command until it is done, then again: with the same answer, and without an event. */
  async function isRepeated(command: Command, between: () => Promise<unknown> = async () => {}) {
    const key = randomUUID()
    const first = await send(running(), command, key)
    expect(first.answered.status, first.answered.text).to.be.within(200, 204)
    expect(await running().eventsOf(first.requestId)).not.to.have.lengthOf(0)
    await between()
    const again = await send(running(), command, key)
    expect(shown(again.answered)).to.deep.equal(shown(first.answered))
    expect(await running().eventsOf(again.requestId)).to.deep.equal([])
    return { key, answered: first.answered }
  }

  /** Sends something else with a key that was used, which is refused and does nothing. */
  async function isRefused(command: Command, key: string) {
    const { answered, requestId } = await send(running(), command, key)
    expect(outcome(answered)).to.deep.equal(reused)
    expect(await running().eventsOf(requestId)).to.deep.equal([])
  }

  async function sessionsOf(person: Person): Promise<string[]> {
    const { body } = await running().client.get('/api/sessions/', person.auth)
    return Array.isArray(body) ? body.map(({ id }) => String(id)) : []
  }

  /** A login does not wait for the list of sessions. */
  const hasSessions = (person: Person, count: number) =>
    eventually(async () => expect(await sessionsOf(person)).to.have.lengthOf(count))

  describe('with an Idempotency-Key', () => {
    it('a registration is made once', async () => {
      const username = newName()
      const user = { username, email: `${username}@example.org`, first_name: 'Ege' }
      const { key, answered } = await isRepeated(register(user))
      expect(answered.status).to.equal(201)
      for (const other of [
        { ...user, first_name: 'Lewis' },
        { ...user, email: '' },
        { ...user, password: newPassword },
        { ...user, username: newName() },
        { username: newName() },
      ]) {
        await isRefused(register(other), key)
      }
    })

    it('a registration is answered as it was, whatever the account became', async () => {
      const username = newName()
      await isRepeated(register({ username, bio: 'as it was' }), async () => {
        const { client } = running()
        const tokens = await client.post('/api/token/obtain/', { username, password: goodPassword })
        const auth = { Authorization: `Bearer ${textIn(tokens, 'access')}` }
        await client.put(`/api/users/${username}/`, { bio: 'as it is' }, auth)
        const json = { old_password: goodPassword, new_password: newPassword }
        expect((await client.post('/api/password/change/', json, auth)).status).to.equal(200)
      })
    })

    it('a registration that was refused can be mended', async () => {
      const { username } = await newPerson(running())
      const key = randomUUID()
      expect((await send(running(), register({ username }), key)).answered.status).to.equal(400)
      expect((await send(running(), register({ username: newName() }), key)).answered.status).to.equal(201)
    })

    it('a login begins one session, and another key another one', async () => {
      const person = await newPerson(running())
      const { key } = await isRepeated(login(person))
      await send(running(), login(person), randomUUID())
      await hasSessions(person, 3)
      expect((await send(running(), login(person, newPassword), key)).answered.status).to.equal(401)
    })

    it('a login is answered as it was after refreshes, and after the session was cut behind them', async () => {
      const person = await newPerson(running())
      const key = randomUUID()
      const first = await send(running(), login(person), key)
      let token = textIn(first.answered, 'refresh')
      for (let count = 0; count < 17; count++) {
        token = textIn(await running().client.post('/api/token/refresh/', { refresh: token }), 'refresh')
      }
      const again = await send(running(), login(person), key)
      expect(shown(again.answered)).to.deep.equal(shown(first.answered))
    })

    it('a login with the key of somebody else begins an own session', async () => {
      const { key } = await isRepeated(login(await newPerson(running())))
      const { answered } = await send(running(), login(await newPerson(running())), key)
      expect(answered.status).to.equal(200)
    })

    it('a refresh gives the same tokens again, also after later ones', async () => {
      const person = await newPerson(running())
      const { key, answered } = await isRepeated(refresh(person.refresh))
      const second = textIn(answered, 'refresh')
      await isRefused(refresh(second), key)
      const later = await running().client.post('/api/token/refresh/', { refresh: second })
      const again = await send(running(), refresh(person.refresh), key)
      expect(shown(again.answered)).to.deep.equal(shown(answered))
      expect(
        await sessionsOf({ ...person, auth: { Authorization: `Bearer ${textIn(later, 'access')}` } }),
      ).to.have.lengthOf(1)
    })

    it('a refresh gives nothing any more once the session has ended', async () => {
      const person = await newPerson(running())
      const { key } = await isRepeated(refresh(person.refresh))
      await running().client.post('/api/token/revoke/', { refresh: person.refresh })
      expect((await send(running(), refresh(person.refresh), key)).answered.status).to.equal(401)
    })

    it('a logout is one', async () => {
      const person = await newPerson(running())
      await isRepeated({ method: 'POST', path: '/api/token/revoke/', json: { refresh: person.refresh } })
    })

    it('an edit shows the profile as it was after it, and does not undo later ones', async () => {
      const person = await newPerson(running())
      const { key, answered } = await isRepeated(edit(person, { bio: 'one', location: 'x' }), () =>
        running().client.put(person.path, { bio: 'two' }, person.auth),
      )
      expect(answered.body).to.include({ bio: 'one' })
      expect((await running().client.get(person.path)).body).to.include({ bio: 'two', location: 'x' })
      await isRefused(edit(person, { bio: 'three' }), key)
      await isRefused(edit(person, { bio: 'one' }), key)
      await isRefused({ ...edit(person, { bio: 'one', privacy: true }), method: 'PATCH' }, key)
    })

    it('an edit that changed nothing or was refused has not used its key up', async () => {
      const person = await newPerson(running())
      const key = randomUUID()
      expect((await send(running(), edit(person, { bio: '' }), key)).answered.status).to.equal(200)
      expect((await send(running(), edit(person, { bio: 'x'.repeat(2001) }), key)).answered.status).to.equal(
        400,
      )
      const { answered } = await send(running(), edit(person, { bio: 'new' }), key)
      expect(answered.body).to.include({ bio: 'new' })
    })

    it('a change of the password ends the other sessions once', async () => {
      const person = await newPerson(running())
      const json = { old_password: goodPassword, new_password: newPassword }
      const later: Person[] = []
      const { key } = await isRepeated(changePassword(person, json), async () => {
        const { answered } = await send(running(), login(person, newPassword), randomUUID())
        later.push({ ...person, auth: { Authorization: `Bearer ${textIn(answered, 'access')}` } })
      })
      for (const each of later) await hasSessions(each, 2)
      await isRefused(changePassword(person, { ...json, new_password: 'another one 44' }), key)
      const wrong = await send(running(), changePassword(person, { ...json, old_password: newPassword }), key)
      expect(outcome(wrong.answered)).to.deep.equal({
        ...{ status: 400, body: { old_password: ['Wrong password.'] } },
      })
    })

    it('a change of the address is asked for and made once', async () => {
      const person = await newPerson(running())
      const email = `${newName()}@example.org`
      const { key } = await isRepeated(changeEmail(person, { password: goodPassword, email }))
      const other = { password: goodPassword, email: `${newName()}@example.org` }
      await isRefused(changeEmail(person, other), key)
      const token = await mailedToken(running(), email)
      await isRepeated({ method: 'POST', path: '/api/email/confirm/', json: { token } })
    })

    it('a reset sets the password once', async () => {
      const { email, username } = await newPerson(running())
      await isRepeated({ method: 'POST', path: '/api/password/reset/', json: { email } })
      const token = await mailedToken(running(), email)
      const { key } = await isRepeated(confirmReset(token, newPassword))
      await isRefused(confirmReset(token, 'another one 44'), key)
      const withoutKey = await running().client.post('/api/password/reset/confirm/', {
        ...{ token, password: newPassword },
      })
      expect(withoutKey.status).to.equal(404)
      expect(
        (await running().client.post('/api/token/obtain/', { username, password: newPassword })).status,
      ).to.equal(200)
    })

    it('a session is ended once, also the one that asks', async () => {
      const person = await newPerson(running())
      const { answered } = await send(running(), login(person), randomUUID())
      const mine = String(claimsIn(person.access).sid)
      const other = String(claimsIn(textIn(answered, 'access')).sid)
      await isRepeated(endSession(person, other))
      await isRepeated(endSession(person, mine))
      expect((await send(running(), endSession(person, mine), randomUUID())).answered.status).to.equal(401)
      expect((await running().client.get('/api/sessions/', person.auth)).status).to.equal(401)
    })

    it('the other sessions are ended once, and those begun later go on', async () => {
      const person = await newPerson(running())
      const others = { method: 'DELETE', path: '/api/sessions/', headers: person.auth } as const
      await isRepeated(others, () => send(running(), login(person), randomUUID()))
      await hasSessions(person, 2)
    })

    it('an erasure is one, also when nothing is left of the account', async () => {
      const person = await newPerson(running())
      const json = { password: goodPassword }
      const erase = { method: 'DELETE', path: person.path, json, headers: person.auth } as const
      await isRepeated(erase)
      expect((await send(running(), erase, randomUUID())).answered.status).to.equal(401)
    })

    it('the same key stands for different commands of different users and routes', async () => {
      const [one, two] = [await newPerson(running()), await newPerson(running())]
      const { key } = await isRepeated(edit(one, { bio: 'one' }))
      const { answered } = await send(running(), edit(two, { bio: 'two' }), key)
      expect(answered.body).to.include({ bio: 'two' })
      const json = { old_password: goodPassword, new_password: newPassword }
      expect((await send(running(), changePassword(one, json), key)).answered.status).to.equal(200)
    })

    it('the key is the same with and without quotes', async () => {
      const person = await newPerson(running())
      const { key } = await isRepeated(edit(person, { bio: 'one' }))
      const headers = { ...person.auth, 'Idempotency-Key': key }
      const answered = await running().client.put(person.path, { bio: 'two' }, headers)
      expect(outcome(answered)).to.deep.equal(reused)
    })

    it('a malformed key is refused, and nothing is done', async () => {
      const person = await newPerson(running())
      for (const key of ['""', '"open', 'two words', '"a", "b"', '"a"; b', 'é', `"${'k'.repeat(256)}"`, '']) {
        const headers = { ...person.auth, 'Idempotency-Key': key }
        for (const answered of [
          await running().client.put(person.path, { bio: 'new' }, headers),
          await running().client.post('/api/token/obtain/', login(person).json, headers),
          await running().client.ask('DELETE', '/api/sessions/', { headers }),
        ]) {
          expect(outcome(answered), key).to.deep.equal({
            status: 400,
            body: { detail: 'Idempotency-Key must be a string of 1 to 255 characters in quotes.' },
          })
        }
      }
      expect((await running().client.get(person.path)).body).to.include({ bio: '' })
      await hasSessions(person, 1)
    })
  })

  describe('with an Idempotency-Key, ten times at once on two processes of one store', () => {
    const { one, two } = withTwoServers(start)

    /** Sends a command ten times at the same moment; gives the one answer, and how many events came of it. */
    async function tenTimes(command: Command) {
      const key = randomUUID()
      const sent = await Promise.all(
        Array.from({ length: 10 }, (_, index) => send(index % 2 === 0 ? one() : two(), command, key)),
      )
      const answers = new Set(sent.map(({ answered }) => JSON.stringify(shown(answered))))
      const [only = ''] = answers
      expect([...answers], only).to.have.lengthOf(1)
      const events = await Promise.all(sent.map(({ requestId }) => one().eventsOf(requestId)))
      // The mailer notes what it sent when it gets to it.
      const commanded = events.flat().filter(type => type !== 'MailSent')
      return { status: sent[0]?.answered.status, events: commanded }
    }

    it('a registration is made once', async () => {
      const username = newName()
      const done = await tenTimes(register({ username, email: `${username}@example.org` }))
      expect(done.status).to.equal(201)
      expect(done.events.filter(type => type === 'UserRegistered')).to.have.lengthOf(1)
    })

    it('a login begins one session', async () => {
      const done = await tenTimes(login(await newPerson(one())))
      expect(done).to.deep.equal({ status: 200, events: ['SessionStarted'] })
    })

    it('a refresh rotates once', async () => {
      const done = await tenTimes(refresh((await newPerson(one())).refresh))
      expect(done).to.deep.equal({ status: 200, events: ['SessionRefreshed'] })
    })

    it('an edit is made once', async () => {
      const done = await tenTimes(edit(await newPerson(one()), { bio: 'new' }))
      expect(done).to.deep.equal({ status: 200, events: ['ProfileEdited'] })
    })

    it('a password is changed once', async () => {
      const json = { old_password: goodPassword, new_password: newPassword }
      const done = await tenTimes(changePassword(await newPerson(one()), json))
      expect(done).to.deep.equal({ status: 200, events: ['PasswordChanged'] })
    })

    it('a reset token is used once', async () => {
      const { email } = await newPerson(one())
      await one().client.post('/api/password/reset/', { email })
      const done = await tenTimes(confirmReset(await mailedToken(one(), email), newPassword))
      expect(done).to.deep.equal({ status: 200, events: ['PasswordReset'] })
    })

    it('a session is ended once, by itself', async () => {
      const person = await newPerson(one())
      const done = await tenTimes(endSession(person, String(claimsIn(person.access).sid)))
      expect(done).to.deep.equal({ status: 204, events: ['SessionRevoked'] })
    })
  })
}
