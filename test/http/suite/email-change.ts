import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { outcome, textIn } from '../../support/http-client.ts'
import { mailedToken } from './password-reset.ts'
import { goodPassword, newName, newPerson, type Person } from './people.ts'
import { type Running, type StartServer, type TestServer, withServer } from './test-server.ts'

const ok = { status: 200, body: { status: 'OK' } }
const notFound = { status: 404, body: { detail: 'Not found.' } }
const taken = {
  status: 400,
  body: { email: ['A user with that email address already exists.'] },
}
const newPassword = 'battery staple 43'

/** An address that nobody has. */
const newEmail = () => `${newName('address')}@example.org`

export function emailChangeCases(running: Running, start: StartServer): void {
  const confirm = (token: unknown) => running().client.post('/api/email/confirm/', { token })
  const ask = (email: unknown, person: Person) => askOn(running(), email, person)
  const emailOf = async ({ path, auth }: Person) => textIn(await running().client.get(path, auth), 'email')

  /** Asks for an address, and gives the token mailed to it. */
  async function tokenFor(email: string, person: Person): Promise<string> {
    return tokenAfter(email, async () => expect(outcome(await ask(email, person))).to.deep.equal(ok))
  }

  /** The token that is mailed to an address because of something. */
  async function tokenAfter(email: string, cause: () => Promise<unknown>): Promise<string> {
    const before = await running().resetTokens(email)
    await cause()
    let token = ''
    await eventually(async () => {
      token = (await running().resetTokens(email)).find(each => !before.includes(each)) ?? ''
      expect(token).not.to.equal('')
    })
    return token
  }

  /** Proves the address that somebody registered with, by a reset. */
  async function proveByReset({ email }: Person): Promise<void> {
    const token = await tokenAfter(email, () => running().client.post('/api/password/reset/', { email }))
    const confirmed = await running().client.post('/api/password/reset/confirm/', {
      ...{ token, password: newPassword },
    })
    expect(confirmed.status).to.equal(200)
  }

  describe('a change of the address', () => {
    it('is in force when the token mailed to the new one is used, and the old one is told', async () => {
      const person = await newPerson(running())
      const email = newEmail()
      const token = await tokenFor(email, person)
      expect(await emailOf(person)).to.equal(person.email)
      expect(outcome(await confirm(token))).to.deep.equal(ok)
      expect(await emailOf(person)).to.equal(email)
      await eventually(async () => {
        const [mail = ''] = await running().mails(person.email)
        expect(mail).to.contain('Subject: Your account has another e-mail address')
        expect(mail).not.to.contain(email)
      })
      const resetFor = (address: string) => running().client.post('/api/password/reset/', { email: address })
      expect((await resetFor(person.email)).status).to.equal(400)
      expect((await resetFor(email)).status).to.equal(200)
    })

    it('frees the old address for others', async () => {
      const person = await newPerson(running())
      await confirm(await tokenFor(newEmail(), person))
      await newPerson(running(), { email: person.email })
    })

    it('adds one where there was none', async () => {
      const person = await newPerson(running(), { email: '' })
      const email = newEmail()
      expect(outcome(await confirm(await tokenFor(email, person)))).to.deep.equal(ok)
      expect(await emailOf(person)).to.equal(email)
    })

    it('may be one of spelling', async () => {
      const person = await newPerson(running())
      const email = person.email.replace('user', 'USER')
      expect(outcome(await confirm(await tokenFor(email, person)))).to.deep.equal(ok)
      expect(await emailOf(person)).to.equal(email)
      const user = { username: newName(), email: person.email, password: goodPassword }
      expect(outcome(await running().client.post('/api/user/create/', user))).to.deep.equal(taken)
    })

    it('ends no session', async () => {
      const person = await newPerson(running())
      await confirm(await tokenFor(newEmail(), person))
      const refreshed = await running().client.post('/api/token/refresh/', { refresh: person.refresh })
      expect(refreshed.status).to.equal(200)
    })

    it('is refused with a wrong password or a bad address', async () => {
      const person = await newPerson(running())
      const send = (json: unknown) => running().client.post('/api/email/change/', json, person.auth)
      expect(outcome(await send({ password: 'wrong', email: newEmail() }))).to.deep.equal({
        status: 400,
        body: { password: ['Wrong password.'] },
      })
      expect((await send({ password: goodPassword, email: 'a@b@c' })).body).to.deep.equal({
        email: ['Enter a valid email address.'],
      })
      expect((await send({ email: '' })).body).to.deep.equal({
        password: ['This field is required.'],
        email: ['This field may not be blank.'],
      })
    })

    it('needs credentials', async () => {
      const json = { password: goodPassword, email: newEmail() }
      expect((await running().client.post('/api/email/change/', json)).status).to.equal(401)
    })
  })

  describe('a token for an address', () => {
    it('works once, and only the newest one', async () => {
      const person = await newPerson(running())
      const older = await tokenFor(newEmail(), person)
      const token = await tokenFor(newEmail(), person)
      expect(outcome(await confirm(older))).to.deep.equal(notFound)
      expect(outcome(await confirm(token))).to.deep.equal(ok)
      expect(outcome(await confirm(token))).to.deep.equal(notFound)
    })

    it('is no token for a password, nor the other way round', async () => {
      const person = await newPerson(running())
      const token = await tokenFor(newEmail(), person)
      const reset = { token, password: newPassword }
      expect((await running().client.post('/api/password/reset/confirm/', reset)).status).to.equal(404)
      await running().client.post('/api/password/reset/', { email: person.email })
      expect(outcome(await confirm(await mailedToken(running(), person.email)))).to.deep.equal(notFound)
    })

    it('is none of somebody’s making', async () => {
      const person = await newPerson(running())
      const token = await tokenFor(newEmail(), person)
      const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
      for (const text of ['x', '1.2.3', forged, `1${token}`]) {
        expect(outcome(await confirm(text)), text).to.deep.equal(notFound)
      }
      expect((await confirm(undefined)).body).to.deep.equal({ token: ['This field is required.'] })
    })

    it('is void after the password was changed', async () => {
      const person = await newPerson(running())
      const token = await tokenFor(newEmail(), person)
      const change = { old_password: goodPassword, new_password: newPassword }
      expect((await running().client.post('/api/password/change/', change, person.auth)).status).to.equal(200)
      expect(outcome(await confirm(token))).to.deep.equal(notFound)
    })
  })

  describe('a token for an address whose time is over', () => {
    const aging = withServer(start)

    it('is not found', async () => {
      const server = aging()
      const email = newEmail()
      await askOn(server, email, await newPerson(server))
      const token = await mailedToken(server, email)
      server.passTime(86_400)
      expect(outcome(await server.client.post('/api/email/confirm/', { token }))).to.deep.equal(notFound)
    })
  })

  describe('an address that somebody has', () => {
    it('is told to be taken if they proved it', async () => {
      const owner = await newPerson(running())
      await proveByReset(owner)
      const other = await newPerson(running())
      expect(outcome(await ask(owner.email.toUpperCase(), other))).to.deep.equal(taken)
    })

    it('goes to who proves to control it if they never did', async () => {
      const squatter = await newPerson(running())
      const owner = await newPerson(running(), { email: '' })
      const token = await tokenFor(squatter.email, owner)
      expect(await emailOf(squatter)).to.equal(squatter.email)
      expect(outcome(await confirm(token))).to.deep.equal(ok)
      expect(await emailOf(owner)).to.equal(squatter.email)
      await eventually(async () => expect(await emailOf(squatter)).to.equal(''))
      const again = await newPerson(running(), { email: '' })
      expect(outcome(await ask(squatter.email, again))).to.deep.equal(taken)
    })

    it('stays with who proved it between request and confirmation', async () => {
      const owner = await newPerson(running())
      const other = await newPerson(running(), { email: '' })
      const token = await tokenFor(owner.email, other)
      await proveByReset(owner)
      expect(outcome(await confirm(token))).to.deep.equal(notFound)
      expect(await emailOf(owner)).to.equal(owner.email)
    })

    it('goes to one of two who prove it at the same moment', async () => {
      const email = newEmail()
      const people = [await newPerson(running(), { email: '' }), await newPerson(running(), { email: '' })]
      const tokens: string[] = []
      for (const person of people) tokens.push(await tokenFor(email, person))
      const answers = await Promise.all(tokens.map(confirm))
      expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([200, 404])
      const emails = await Promise.all(people.map(emailOf))
      expect(emails.toSorted()).to.deep.equal(['', email])
    })

    it('is got by one who edits the profile all the while', async () => {
      const person = await newPerson(running(), { email: '' })
      const email = newEmail()
      const token = await tokenFor(email, person)
      const edits = Array.from({ length: 20 }, (_, index) =>
        running().client.put(person.path, { bio: `edit ${index}` }, person.auth),
      )
      const [confirmed] = await Promise.all([confirm(token), ...edits])
      expect(confirmed.status).to.equal(200)
      expect(await emailOf(person)).to.equal(email)
    })
  })
}

function askOn({ client }: TestServer, email: unknown, { auth }: Person) {
  return client.post('/api/email/change/', { password: goodPassword, email }, auth)
}
