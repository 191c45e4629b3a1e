import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { goodPassword, newName, newPerson } from './people.ts'
import type { Running } from './test-server.ts'

export function logCases(running: Running): void {
  describe('the log', () => {
    it('has one line for each request, by its id', async () => {
      const { client, logged } = running()
      const { path, auth } = await newPerson(running())
      const asked: [string, string, string, string | null, number][] = []
      for (const [method, target, route, status] of [
        ['GET', path, '/api/users/:username/', 200],
        ['PUT', path, '/api/users/:username/', 200],
        ['GET', '/api/users/?query=secret', '/api/users/', 200],
        ['GET', '/api/users/nobody!/', '/api/users/:username/', 404],
        ['POST', path, '/api/users/:username/', 405],
        ['DELETE', path, '/api/users/:username/', 400],
        ['OPTIONS', path, '/api/users/:username/', 204],
        ['GET', '/unknown/secret', null, 404],
      ] as const) {
        const id = newName('request')
        await client.ask(method, target, { headers: { ...auth, 'X-Request-Id': id } })
        asked.push([id, method, target, route, status])
      }
      await eventually(async () => {
        const lines = await logged()
        for (const [id, method, target, route, status] of asked) {
          const mine = lines.filter(line => line.id === id)
          expect(mine, `${method} ${target}`).to.have.lengthOf(1)
          expect(mine[0]).to.include({ method, route, status })
          expect(mine[0]?.ms).to.be.a('number')
        }
      })
    })

    it('has no bodies, tokens, passwords or addresses in it', async () => {
      const { client, logged, resetTokens } = running()
      const password = `secret-${newName()}`
      const person = await newPerson(running(), { password, bio: `bio-${newName()}` })
      const id = newName('request')
      await client.put(person.path, { bio: 'bio-of-mine' }, person.auth)
      await client.post('/api/token/refresh/', { refresh: person.refresh })
      await client.post('/api/token/obtain/', { username: person.username, password: `${password}-wrong` })
      await client.post('/api/password/reset/', { email: person.email })
      let token = ''
      await eventually(async () => {
        token = (await resetTokens(person.email))[0] ?? ''
        expect(token).not.to.equal('')
      })
      await client.post('/api/password/reset/confirm/', { token, password: `${goodPassword}-new` })
      await client.ask('POST', '/api/token/obtain/', {
        raw: `{"password":"${password}"`,
        headers: { 'Content-Type': 'application/json', 'X-Request-Id': id },
      })
      await eventually(async () => expect((await logged()).map(line => line.id)).to.include(id))
      const text = JSON.stringify(await logged())
      for (const secret of [
        password,
        goodPassword,
        'bio-',
        person.email,
        person.access,
        person.refresh,
        token,
      ]) {
        expect(text).not.to.contain(secret)
      }
      expect(text).not.to.contain(person.username)
    })
  })
}
