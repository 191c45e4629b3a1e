import { expect } from 'chai'
import { answerSchemas } from '../../../src/http/openapi-schemas.ts'
import { eventually } from '../../support/eventually.ts'
import { outcome, textIn } from '../../support/http-client.ts'
import { eraseUser } from './erasure.ts'
import { mailedToken } from './password-reset.ts'
import { claimsIn, goodPassword, newName, newPerson, type Person } from './people.ts'
import type { Running } from './test-server.ts'

const unauthorized = { status: 401, body: { detail: 'Unauthorized.' } }

export function exportCases(running: Running): void {
  const ask = ({ path }: Pick<Person, 'path'>, auth = {}) => running().client.get(`${path}export/`, auth)
  const exported = async (person: Person) => answerSchemas.Export.parse((await ask(person, person.auth)).body)

  describe('an export', () => {
    it('is a file with all that is known of the user, and no hash', async () => {
      const person = await newPerson(running(), { first_name: 'Ege', bio: 'sailor' })
      const { client } = running()
      await client.put(person.path, { location: 'Bodrum' }, person.auth)
      const answered = await ask(person, person.auth)
      expect(answered.status).to.equal(200)
      expect(answered.headers).to.include({
        'content-type': 'application/json',
        'content-disposition': `attachment; filename="roster-user-${person.id}.json"`,
        'cache-control': 'private, no-cache',
      })
      const { profile, names, events, ...more } = answerSchemas.Export.parse(answered.body)
      const { id, username, email } = person
      expect(profile).to.include({
        id,
        username,
        email,
        first_name: 'Ege',
        bio: 'sailor',
        location: 'Bodrum',
      })
      expect(more).to.include({ email_proved: false, pending_email_change: null })
      expect(names.map(({ kind, name }) => [kind, name])).to.deep.equal([
        ['username', username],
        ['email', email],
      ])
      for (const { claimed } of names) expect(claimed).to.be.a('string')
      expect(events.map(({ type }) => type)).to.deep.equal(['UserRegistered', 'ProfileEdited'])
      expect(events[1]).to.deep.include({ actor: id, data: { location: 'Bodrum' } })
      expect(answered.text).not.to.contain('argon2')
    })

    it('has every session, that which asks and those that were ended too', async () => {
      const person = await newPerson(running())
      const login = { username: person.username, password: goodPassword }
      const other = await running().client.post('/api/token/obtain/', login, { 'User-Agent': 'Netscape' })
      const { sid } = claimsIn(textIn(other, 'access'))
      await running().client.post('/api/token/revoke/', { refresh: textIn(other, 'refresh') })
      await eventually(async () => {
        const { sessions } = await exported(person)
        expect(sessions).to.have.lengthOf(2)
        expect(sessions.find(({ id }) => id === sid)).to.include({ device: 'Netscape' })
        expect(sessions.find(({ id }) => id === sid)?.ended).to.be.a('string')
        expect(sessions.find(({ id }) => id === claimsIn(person.access).sid)).to.include({ ended: null })
      })
    })

    it('tells of sessions that ended with the others when they did', async () => {
      const person = await newPerson(running())
      const login = { username: person.username, password: goodPassword }
      const other = await running().client.post('/api/token/obtain/', login)
      const { sid } = claimsIn(textIn(other, 'access'))
      await running().client.ask('DELETE', '/api/sessions/', { headers: person.auth })
      await eventually(async () => {
        const { sessions, events } = await exported(person)
        expect(sessions.find(({ id }) => id === sid)).to.include({ ended: events.at(-1)?.time })
        expect(sessions.find(({ id }) => id === claimsIn(person.access).sid)).to.include({ ended: null })
      })
    })

    it('has the address that is to be confirmed, and the one that was there before', async () => {
      const person = await newPerson(running())
      const { client } = running()
      const email = `${newName()}@example.org`
      await client.post('/api/email/change/', { password: goodPassword, email }, person.auth)
      expect((await exported(person)).pending_email_change).to.include({ email })
      const token = await mailedToken(running(), email)
      expect((await client.post('/api/email/confirm/', { token })).status).to.equal(200)
      const { names, profile, ...after } = await exported(person)
      expect(after).to.include({ email_proved: true, pending_email_change: null })
      expect(profile).to.include({ email })
      expect(names.map(({ name }) => name)).to.deep.equal([person.username, person.email, email])
    })

    it('is for the owner alone, and not for who is gone', async () => {
      const [person, other] = [await newPerson(running()), await newPerson(running())]
      expect((await ask(person)).status).to.equal(401)
      expect(outcome(await ask(person, other.auth))).to.deep.equal(unauthorized)
      expect(outcome(await ask({ path: '/api/users/nobody/' }, other.auth))).to.deep.equal(unauthorized)
      await eraseUser(running(), person)
      expect((await ask(person, person.auth)).body).to.deep.equal({
        ...{ detail: 'User not found', code: 'user_not_found' },
      })
    })
  })
}
