import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { outcome } from '../../support/http-client.ts'
import { mailedToken } from './password-reset.ts'
import { goodPassword, newPerson, type Person } from './people.ts'
import type { Running, StartServer } from './test-server.ts'

type Entry = { revision: number; time: string; type: string; actor: unknown; changes: Changed[] }
type Changed = { field: string; from: unknown; to: unknown }

const notFound = { status: 404, body: { detail: 'Not found.' } }
const notGiven = { status: 401, body: { detail: 'Authentication credentials were not provided.' } }
const unauthorized = { status: 401, body: { detail: 'Unauthorized.' } }
const invalidCursor = { status: 400, body: { cursor: ['Invalid cursor.'] } }
const invalidTime = {
  status: 400,
  body: {
    at: [
      'Datetime has wrong format. Use one of these formats instead: ' +
        'YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].',
    ],
  },
}

export function historyCases(running: Running, start: StartServer): void {
  /** At another time than what came before. */
  const edit = async ({ path, auth }: Person, fields: object) => {
    await pause(2)
    const answered = await running().client.put(path, fields, auth)
    expect(answered.status, answered.text).to.equal(200)
  }
  const get = async (path: string, person?: Person) => outcome(await running().client.get(path, person?.auth))
  const viewAt = (person: Person, at: string, viewer: Person | undefined = person) =>
    get(`${person.path}?at=${at}`, viewer)

  /** All pages, newest first. */
  async function history(person: Person, limit = 200): Promise<Entry[]> {
    const found: Entry[] = []
    for (let path: string | null = `${person.path}history/?limit=${limit}`; path !== null; ) {
      const answered = await running().client.get(path, person.auth)
      expect(answered.status, answered.text).to.equal(200)
      const page: Entry[] = JSON.parse(answered.text)
      expect(page).to.have.length.within(1, limit)
      found.push(...page)
      const { link } = answered.headers
      path = typeof link === 'string' ? (/^<(.+)>; rel="next"$/.exec(link)?.[1] ?? null) : null
    }
    return found
  }

  async function edited(...bios: string[]): Promise<Person> {
    const person = await newPerson(running(), { first_name: 'Ege' })
    for (const bio of bios) await edit(person, { bio })
    return person
  }

  describe('the history of an account', () => {
    it('tells its owner what happened, the newest first, and which fields changed from what to what', async () => {
      const person = await edited('one')
      await edit(person, { bio: 'two', privacy: true })
      const [second, first, registered] = await history(person)
      expect(second).to.deep.include({ revision: 2, type: 'ProfileEdited', actor: person.id })
      expect(second?.changes).to.have.deep.members([
        { field: 'bio', from: 'one', to: 'two' },
        { field: 'privacy', from: false, to: true },
      ])
      expect(first).to.deep.include({ revision: 1, changes: [{ field: 'bio', from: '', to: 'one' }] })
      expect(registered).to.include({ revision: 0, type: 'UserRegistered', actor: person.id })
      expect(registered?.changes).to.deep.include({ field: 'username', from: null, to: person.username })
      expect(registered?.changes).to.deep.include({ field: 'first_name', from: null, to: 'Ege' })
      expect(registered?.changes.map(({ field }) => field)).to.not.include('last_name')
      const times = [registered, first, second].map(entry => String(entry?.time))
      expect(times.toSorted()).to.deep.equal(times)
    })

    it('tells that the password is another, and never its hash', async () => {
      const person = await newPerson(running())
      const change = { old_password: goodPassword, new_password: 'another horse 43' }
      await running().client.post('/api/password/change/', change, person.auth)
      const { text } = await running().client.get(`${person.path}history/`, person.auth)
      expect(text).to.not.match(/argon2|hash/i)
      const [changed, registered] = (await history(person)).filter(({ type }) => type !== 'MailSent')
      expect(changed).to.deep.include({
        type: 'PasswordChanged',
        changes: [{ field: 'password_set', from: registered?.time, to: changed?.time }],
      })
    })

    it('does not tell which other user it was', async () => {
      const server = await start()
      try {
        const { client } = server
        const [loser, taker] = [await newPerson(server), await newPerson(server)]
        await client.post('/api/email/change/', { password: goodPassword, email: loser.email }, taker.auth)
        const token = await mailedToken(server, loser.email)
        expect((await client.post('/api/email/confirm/', { token })).status).to.equal(200)
        const [lost]: Entry[] = JSON.parse((await client.get(`${loser.path}history/`, loser.auth)).text)
        expect(lost).to.deep.include({
          ...{ type: 'EmailLost', actor: 'another user' },
          changes: [{ field: 'email', from: loser.email, to: '' }],
        })
      } finally {
        await server.stop()
      }
    })

    it('is paged by cursors, each page as long as asked for', async () => {
      const person = await edited('1', '2', '3', '4', '5')
      const all = await history(person)
      expect(all.map(({ revision }) => revision)).to.deep.equal([5, 4, 3, 2, 1, 0])
      for (const limit of [1, 2, 4, 6]) expect(await history(person, limit)).to.deep.equal(all)
    })

    it('refuses limits and cursors that are none, and those of others', async () => {
      const [person, other] = [await edited('1'), await edited('1')]
      for (const limit of ['0', '201', 'x', '', '-1']) {
        expect(await get(`${person.path}history/?limit=${limit}`, person)).to.deep.equal({
          ...{ status: 400, body: { limit: ['Ensure this value is between 1 and 200.'] } },
        })
      }
      const { headers } = await running().client.get(`${other.path}history/?limit=1`, other.auth)
      const others = /cursor=([^>]+)>/.exec(String(headers.link))?.[1]
      for (const cursor of [others, '', 'x', '%00', '%FF', Buffer.from('1 x').toString('base64url')]) {
        expect(await get(`${person.path}history/?cursor=${cursor}`, person), cursor).to.deep.equal(
          invalidCursor,
        )
      }
    })

    it('is for the owner alone, by name or id', async () => {
      const [person, other] = [await newPerson(running()), await newPerson(running())]
      expect(await get(`${person.path}history/`)).to.deep.equal(notGiven)
      expect(await get(`${person.path}history/`, other)).to.deep.equal(unauthorized)
      expect(await get('/api/users/nobody_at_all/history/', person)).to.deep.equal(unauthorized)
      const byId = await get(`/api/users/${person.id}/history`, person)
      expect(byId).to.deep.equal(await get(`${person.path}history/`, person))
      expect(byId.status).to.equal(200)
    })
  })

  describe('a profile as it was', () => {
    it('is what it was at each moment, up to and including it', async () => {
      const person = await edited('one', 'two')
      const [two, one, registered] = await history(person)
      const bioAt = async (at: string) => (await viewAt(person, at)).body as { bio: string }
      expect((await bioAt(String(registered?.time))).bio).to.equal('')
      expect((await bioAt(String(one?.time))).bio).to.equal('one')
      expect((await bioAt(String(two?.time))).bio).to.equal('two')
      expect(await viewAt(person, '2999-01-01')).to.deep.equal(await get(person.path, person))
    })

    it('is not found before the registration', async () => {
      const person = await newPerson(running())
      const [registered] = (await history(person)).slice(-1)
      const before = new Date(Date.parse(String(registered?.time)) - 1).toISOString()
      expect(await viewAt(person, before)).to.deep.equal(notFound)
      expect(await viewAt(person, '1999-12-31T23:59:59Z')).to.deep.equal(notFound)
    })

    it('is found by a time with an offset, its plus sign encoded or not', async () => {
      const person = await edited('one')
      for (const at of ['2999-01-01T00:00:00%2B02:00', '2999-01-01T00:00:00+02:00', '2999-01-01T00:00']) {
        expect((await viewAt(person, at)).body, at).to.include({ bio: 'one' })
      }
    })

    it('is refused for a time that is none', async () => {
      const person = await newPerson(running())
      for (const at of ['', 'yesterday', '7', '2026-02-31', '2026-01-01T25:00:00Z', '%00', '%FF']) {
        expect(await viewAt(person, at), at).to.deep.equal(invalidTime)
      }
    })

    it('is for the owner alone, which is looked at before the time', async () => {
      const [person, other] = [await newPerson(running()), await newPerson(running())]
      expect(await get(`${person.path}?at=x`)).to.deep.equal(notGiven)
      expect(await viewAt(person, 'x', other)).to.deep.equal(unauthorized)
      expect(await get('/api/users/nobody_at_all/?at=2999-01-01', person)).to.deep.equal(unauthorized)
    })
  })
}
