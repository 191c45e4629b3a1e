import { expect } from 'chai'
import { goodPassword, newName, newPerson } from './people.ts'
import { type Running, type StartServer, withServer } from './test-server.ts'

export function visibleCases(running: Running, start: StartServer): void {
  describe('an answer to a write', () => {
    it('says nothing of it if the next read shows it', async () => {
      const { client } = running()
      const user = { username: newName(), password: goodPassword }
      expect((await client.post('/api/user/create/', user)).headers).not.to.have.property('roster-visible')
      const { path, auth } = await newPerson(running())
      expect((await client.put(path, { bio: 'new' }, auth)).headers).not.to.have.property('roster-visible')
    })
  })

  describe('with nobody to feed the read models', () => {
    const unfed = withServer(start, { ROLES: 'api', READ_YOUR_WRITES_TIMEOUT_MS: '50' })

    it('an answer to a write says that reads do not show it yet', async () => {
      const { client } = unfed()
      const user = { username: newName(), password: goodPassword }
      const registered = await client.post('/api/user/create/', user)
      expect(registered.status).to.equal(201)
      expect(registered.headers).to.have.property('roster-visible', 'pending')
      const { path, auth, email } = await newPerson(unfed())
      const edited = await client.put(path, { bio: 'new' }, auth)
      expect(edited.status).to.equal(200)
      expect(edited.headers).to.have.property('roster-visible', 'pending')
      expect(edited.body).to.include({ bio: 'new', email })
    })

    it('reads are told to come again, until there is a read model', async () => {
      for (const path of ['/api/users/somebody/', '/api/users/1/', '/api/users/?query=a']) {
        const answered = await unfed().client.get(path)
        expect(answered.status, path).to.equal(503)
        expect(answered.headers['retry-after']).to.match(/^\d+$/)
      }
    })
  })
}
