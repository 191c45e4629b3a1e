import { randomUUID } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { type Answered, outcome, textIn } from '../../support/http-client.ts'
import { mailedToken } from './password-reset.ts'
import { claimsIn, goodPassword, newPerson, type Person } from './people.ts'
import type { Running, StartServer } from './test-server.ts'
import { withServer } from './test-server.ts'

const notFound = { status: 404, body: { detail: 'Not found.' } }
const notProvided = { status: 401, body: { detail: 'Authentication credentials were not provided.' } }
const deadToken = { status: 401, body: { detail: 'Token is invalid or expired', code: 'token_not_valid' } }
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** One login: its tokens, and the id of its session. */
type Login = { refresh: string; id: string; auth: { Authorization: string } }

type Known = { auth: OutgoingHttpHeaders }

type Row = Record<string, unknown>

function rowsIn({ body }: Answered): Row[] {
  expect(body).to.be.an('array')
  return Array.isArray(body) ? body : []
}

export function sessionCases(running: Running, start: StartServer): void {
  const refresh = (token: string) => running().client.post('/api/token/refresh/', { refresh: token })
  const revoke = (token: unknown) => running().client.post('/api/token/revoke/', { refresh: token })
  const list = ({ auth }: Known) => running().client.get('/api/sessions/', auth)
  const remove = (path: string, { auth }: Known) => running().client.ask('DELETE', path, { headers: auth })
  const idsOf = async (login: Known) => rowsIn(await list(login)).map(({ id }) => id)

  /** The list once it has so many rows: a login does not wait until lists show it. */
  async function listOf(count: number, known: Known): Promise<Answered> {
    await eventually(async () => expect(rowsIn(await list(known))).to.have.lengthOf(count))
    return list(known)
  }

  async function login({ username }: Person, headers: Record<string, string> = {}): Promise<Login> {
    const credentials = { username, password: goodPassword }
    return loginIn(await running().client.post('/api/token/obtain/', credentials, headers))
  }

  /** Somebody who is logged in twice. */
  async function twice(): Promise<{ person: Person; first: Login; second: Login }> {
    const person = await newPerson(running())
    const first = { refresh: person.refresh, ...sessionOf(person.access) }
    return { person, first, second: await login(person) }
  }

  describe('logging out', () => {
    it('ends the session of the token, and no other', async () => {
      const { person, first, second } = await twice()
      expect(outcome(await revoke(first.refresh))).to.deep.equal({ status: 200, body: {} })
      expect(outcome(await refresh(first.refresh))).to.deep.equal(deadToken)
      expect((await running().client.put(person.path, {}, first.auth)).status).to.equal(401)
      expect((await refresh(second.refresh)).status).to.equal(200)
      expect(await idsOf(second)).to.deep.equal([second.id])
    })

    it('is answered alike for a dead token', async () => {
      const { refresh: token } = await newPerson(running())
      for (const dead of [token, token, 'nonsense', 'a.b.c', `${token}x`]) {
        expect(outcome(await revoke(dead)), dead).to.deep.equal({ status: 200, body: {} })
      }
    })

    it('works with a token that was replaced', async () => {
      const { refresh: token } = await newPerson(running())
      const next = textIn(await refresh(token), 'refresh')
      expect((await revoke(token)).status).to.equal(200)
      expect(outcome(await refresh(next))).to.deep.equal(deadToken)
    })

    it('is refused to an access token, which would leave the session alive', async () => {
      const { access } = await newPerson(running())
      expect(outcome(await revoke(access))).to.deep.equal({
        status: 401,
        body: { detail: 'Token has wrong type', code: 'token_not_valid' },
      })
    })

    it('needs a token', async () =>
      expect(outcome(await revoke(undefined))).to.deep.equal({
        status: 400,
        body: { refresh: ['This field is required.'] },
      }))
  })

  describe('the list of sessions', () => {
    it('shows each login with its device and whereabouts, the one used last first', async () => {
      const person = await newPerson(running())
      const first = sessionOf(person.access)
      const second = await login(person, { 'User-Agent': firefox })
      const answered = await listOf(2, first)
      expect(answered.status).to.equal(200)
      expect(answered.headers['cache-control']).to.equal('no-store')
      const rows = rowsIn(answered)
      expect(rows.map(({ id }) => id)).to.deep.equal([second.id, first.id])
      expect(rows.map(({ current }) => current)).to.deep.equal([false, true])
      expect(rows[0]).to.have.all.keys('id', 'device', 'address_range', 'started', 'last_used', 'current')
      expect(rows[0]).to.include({ device: firefox, address_range: '127.0.0.0/24' })
      expect(rows[1]).to.include({ device: '' })
      const { started, last_used: lastUsed } = rows[0] ?? {}
      expect(started).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(lastUsed).to.equal(started)
    })

    it('shows nobody else’s', async () => {
      const { first } = await twice()
      const other = await newPerson(running())
      expect(await idsOf(other)).to.have.lengthOf(1)
      expect(rowsIn(await listOf(2, first))).to.have.lengthOf(2)
    })

    it('cuts what a client calls itself', async () => {
      const person = await newPerson(running())
      const { auth, id } = await login(person, { 'User-Agent': `  a\tb ${'x'.repeat(1000)}` })
      const row = rowsIn(await list({ auth })).find(found => found.id === id)
      expect(row).to.have.property('device', `a b ${'x'.repeat(196)}`)
    })

    it('shows none that a password reset ended', async () => {
      const { person, first } = await twice()
      await running().client.post('/api/password/reset/', { email: person.email })
      const token = await mailedToken(running(), person.email)
      await running().client.post('/api/password/reset/confirm/', { token, password: goodPassword })
      expect((await list(first)).status).to.equal(401)
      const third = await login(person)
      expect(await idsOf(third)).to.deep.equal([third.id])
    })

    it('needs credentials', async () => {
      expect(outcome(await running().client.get('/api/sessions/'))).to.deep.equal(notProvided)
      expect((await list({ auth: { Authorization: 'Bearer nonsense' } })).status).to.equal(401)
    })
  })

  describe('ending a session', () => {
    it('ends that one only', async () => {
      const { person, first, second } = await twice()
      const answered = await remove(`/api/sessions/${second.id}/`, first)
      expect(answered).to.include({ status: 204, text: '' })
      expect(outcome(await refresh(second.refresh))).to.deep.equal(deadToken)
      expect((await running().client.put(person.path, {}, second.auth)).status).to.equal(401)
      expect(await idsOf(first)).to.deep.equal([first.id])
      expect((await refresh(first.refresh)).status).to.equal(200)
    })

    it('may end the one that asks', async () => {
      const { first } = await twice()
      expect((await remove(`/api/sessions/${first.id}/`, first)).status).to.equal(204)
      expect((await list(first)).status).to.equal(401)
    })

    it('is not possible twice, nor for anybody else, nor for what is none', async () => {
      const { first, second } = await twice()
      const other = await newPerson(running())
      const path = `/api/sessions/${second.id}/`
      expect(outcome(await remove(path, other))).to.deep.equal(notFound)
      expect((await remove(path, first)).status).to.equal(204)
      for (const id of [second.id, randomUUID(), 'x', second.id.toUpperCase(), '1', '..%2F..']) {
        expect(outcome(await remove(`/api/sessions/${id}/`, first)), id).to.deep.equal(notFound)
      }
    })

    it('needs credentials', async () => {
      const { client } = running()
      for (const path of ['/api/sessions/', `/api/sessions/${randomUUID()}/`]) {
        expect(outcome(await client.ask('DELETE', path))).to.deep.equal(notProvided)
      }
    })
  })

  describe('ending all other sessions', () => {
    it('leaves the one that asks', async () => {
      const { person, first, second } = await twice()
      const third = await login(person)
      expect(await remove('/api/sessions/', second)).to.include({ status: 204, text: '' })
      expect(await idsOf(second)).to.deep.equal([second.id])
      expect(outcome(await refresh(first.refresh))).to.deep.equal(deadToken)
      expect(outcome(await refresh(third.refresh))).to.deep.equal(deadToken)
      expect((await refresh(second.refresh)).status).to.equal(200)
    })

    it('does not keep out who logs in after it', async () => {
      const { person, first } = await twice()
      await remove('/api/sessions/', first)
      const third = await login(person)
      const rows = rowsIn(await listOf(2, third))
      expect(rows.map(({ id }) => id)).to.have.members([first.id, third.id])
    })
  })

  describe('behind a proxy that is trusted', () => {
    const proxied = withServer(start, { TRUST_PROXY: 'on' })

    it('a session has the address that the proxy saw', async () => {
      const { client } = proxied()
      const { username, auth } = await newPerson(proxied())
      for (const [forwarded, range] of [
        ['198.51.100.7', '198.51.100.0/24'],
        ['10.0.0.1, 2001:db8:1:2::3', '2001:db8:1::/48'],
        ['spoofed, 203.0.113.9:4711', '203.0.113.0/24'],
        ['nonsense', '127.0.0.0/24'],
      ] as const) {
        const headers = { 'X-Forwarded-For': forwarded }
        const answered = await client.post(
          '/api/token/obtain/',
          { username, password: goodPassword },
          headers,
        )
        const { id } = loginIn(answered)
        await eventually(async () => {
          const row = rowsIn(await client.get('/api/sessions/', auth)).find(found => found.id === id)
          expect(row, forwarded).to.have.property('address_range', range)
        })
      }
    })
  })
}

function sessionOf(access: string): { id: string; auth: { Authorization: string } } {
  return { id: String(claimsIn(access).sid), auth: { Authorization: `Bearer ${access}` } }
}

function loginIn(answered: Answered): Login {
  expect(answered.status, answered.text).to.equal(200)
  return { refresh: textIn(answered, 'refresh'), ...sessionOf(textIn(answered, 'access')) }
}
