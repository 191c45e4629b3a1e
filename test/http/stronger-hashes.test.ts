import { expect } from 'chai'
import { startServer } from '../support/server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'
import { goodPassword, newName, newPerson } from './suite/people.ts'

describe('A password hash that is weaker than new ones', () => {
  it('is replaced at the next login, once, which ends no session', () =>
    withTemporaryFolder(async folder => {
      const before = await startServer({ DATA_DIR: folder })
      const person = await newPerson(before).finally(() => before.stop())
      const server = await startServer({ DATA_DIR: folder, ARGON2_TIME_COST: '2' })
      try {
        const logIn = async () => {
          const id = newName('request')
          const credentials = { username: person.username, password: goodPassword }
          const login = await server.client.post('/api/token/obtain/', credentials, { 'X-Request-Id': id })
          expect(login.status).to.equal(200)
          return server.eventsOf(id)
        }
        expect(await logIn()).to.have.members(['PasswordRehashed', 'SessionStarted'])
        expect(await logIn()).to.deep.equal(['SessionStarted'])
        const { refresh } = person
        expect((await server.client.post('/api/token/refresh/', { refresh })).status).to.equal(200)
        expect((await server.client.put(person.path, { bio: 'x' }, person.auth)).status).to.equal(200)
      } finally {
        await server.stop()
      }
    }))
})
