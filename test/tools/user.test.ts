import { join } from 'node:path'
import { expect } from 'chai'
import { goodPassword, newName, newPerson, type Person } from '../http/suite/people.ts'
import type { TestServer } from '../http/suite/test-server.ts'
import { eventually } from '../support/eventually.ts'
import { outcome, textIn } from '../support/http-client.ts'
import { type Run, roster } from '../support/run-roster.ts'
import { withLogIn } from '../support/sample-log.ts'
import { startServer } from '../support/server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

type World = { dataDir: string; server: TestServer; person: Person; user(...args: string[]): Promise<Run> }

/** A running service with somebody logged in, and the tool on the same log. */
async function withService(use: (world: World) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async folder => {
    const dataDir = join(folder, 'data')
    const environment = { DATA_DIR: dataDir }
    const server = await startServer(environment)
    try {
      const person = await newPerson(server)
      await use({ dataDir, server, person, user: (...args) => roster(environment, ['user', ...args]) })
    } finally {
      await server.stop()
    }
  })
}

const login = ({ client }: TestServer, { username }: Person, password = goodPassword) =>
  client.post('/api/token/obtain/', { username, password })
const refresh = ({ client }: TestServer, { refresh: token }: Person) =>
  client.post('/api/token/refresh/', { refresh: token })
const edit = ({ client }: TestServer, { path, auth }: Person) => client.put(path, { bio: 'x' }, auth)

describe('roster user', () => {
  it('disables an account: it is refused as a wrong password is, and its sessions end', () =>
    withService(async ({ server, person, user }) => {
      const done = await user('disable', person.username)
      expect(done).to.deep.equal({
        code: 0,
        stdout: `${person.username} (id ${person.id}) is disabled\n`,
        stderr: '',
      })
      const refused = await login(server, person)
      expect(outcome(refused)).to.deep.equal(outcome(await login(server, person, 'wrong')))
      expect(refused.status).to.equal(401)
      expect((await refresh(server, person)).status).to.equal(401)
      expect(outcome(await edit(server, person))).to.deep.equal({
        status: 401,
        body: { detail: 'User not found', code: 'user_not_found' },
      })
      const { client } = server
      expect((await client.post('/api/password/reset/', { email: person.email })).status).to.equal(400)
      const taken = await client.post('/api/user/create/', {
        ...{ username: person.username, email: person.email, password: goodPassword },
      })
      expect(taken.body).to.have.all.keys('username', 'email')
    }))

  it('enables it again, without the sessions from before', () =>
    withService(async ({ server, person, user }) => {
      await user('disable', String(person.id))
      expect(await user('enable', String(person.id))).to.include({ code: 0 })
      expect((await refresh(server, person)).status).to.equal(401)
      expect((await edit(server, person)).status).to.equal(401)
      expect((await login(server, person)).status).to.equal(200)
    }))

  it('signs out everywhere', () =>
    withService(async ({ server, person, user }) => {
      expect(await user('sign-out', person.username)).to.include({ code: 0 })
      expect((await refresh(server, person)).status).to.equal(401)
      expect((await login(server, person)).status).to.equal(200)
    }))

  it('sets an address that nobody has, and tells the old one', () =>
    withService(async ({ server, person, user }) => {
      const email = `${newName()}@example.org`
      expect(await user('set-email', person.username, email)).to.include({ code: 0 })
      await eventually(async () => {
        expect(textIn(await server.client.get(person.path, person.auth), 'email')).to.equal(email)
        const [mail = ''] = await server.mails(person.email)
        expect(mail).to.contain('Subject: Your account has another e-mail address')
      })
      const other = await newPerson(server)
      const refused = await user('set-email', other.username, email.toUpperCase())
      expect(refused).to.include({ code: 1, stderr: 'roster: the e-mail address is somebody else’s\n' })
      const bad = await user('set-email', other.username, 'a@b@c')
      expect(bad).to.include({ code: 2 })
      expect(await user('set-email', person.username, '')).to.include({ code: 0 })
      expect(await user('set-email', other.username, email)).to.include({ code: 0 })
    }))

  it('erases an account for good: nobody can log in, and the name is kept from others', () =>
    withService(async ({ server, person, user }) => {
      await user('disable', person.username)
      const done = await user('erase', person.username)
      expect(done).to.deep.equal({
        code: 0,
        stdout: `${person.username} (id ${person.id}) is erased; where Roster runs, what is left of it goes now\n`,
        stderr: '',
      })
      expect((await login(server, person)).status).to.equal(401)
      expect((await refresh(server, person)).status).to.equal(401)
      await eventually(async () => {
        expect((await server.client.get(`/api/users/${person.id}/`)).status).to.equal(404)
      })
      const again = { username: person.username, email: person.email, password: goodPassword }
      const taken = await server.client.post('/api/user/create/', again)
      expect(taken.body).to.have.all.keys('username')
      expect(await user('erase', person.username)).to.include({ code: 1 })
      const byId = await user('erase', String(person.id))
      expect(byId.stdout).to.contain('was erased already')
      const enabled = await user('enable', String(person.id))
      expect(enabled.stderr).to.contain('to have an account in use, found none')
    }))

  it('has a reset mailed, unless one was a moment ago', () =>
    withService(async ({ server, person, user }) => {
      expect(await user('send-reset', person.username)).to.include({ code: 0 })
      await eventually(async () => expect(await server.resetTokens(person.email)).to.have.lengthOf(1))
      const [token] = await server.resetTokens(person.email)
      const again = await user('send-reset', person.username)
      expect(again.stdout).to.contain('asked for a reset less than a minute ago')
      const confirm = { token, password: 'battery staple 43' }
      expect((await server.client.post('/api/password/reset/confirm/', confirm)).status).to.equal(200)
    }))

  it('says what speaks against it', () =>
    withService(async ({ server, person, user }) => {
      const nobody = await user('disable', 'nobody_of_this_name')
      expect(nobody).to.include({
        code: 1,
        stderr: 'roster: expected a user nobody_of_this_name, found none\n',
      })
      const { username } = await newPerson(server, { email: '' })
      expect((await user('send-reset', username)).stderr).to.contain('to have an e-mail address, found none')
      await user('disable', person.username)
      expect((await user('send-reset', person.username)).stderr).to.contain('to have an account in use')
    }))

  it('answers in JSON, and says whether anything changed', () =>
    withService(async ({ person, user }) => {
      const run = async (...args: string[]) =>
        JSON.parse((await user(...args, '--json', person.username)).stdout)
      expect(await run('disable')).to.deep.equal({ user: person.id, changed: true })
      expect(await run('disable')).to.deep.equal({ user: person.id, changed: false })
    }))

  it('notes the operator as the one who did it', () =>
    withService(async ({ person, user, dataDir }) => {
      await user('disable', person.username)
      await withLogIn(dataDir, async store => {
        const last = (await store.readStream(`user-${person.id}`)).at(-1)
        expect(last).to.include({ type: 'AccountDisabled' })
        expect(last?.metadata).to.include({ actor: 'operator', userId: person.id })
        expect(last?.metadata.$correlationId).to.match(/^roster-user-/)
      })
    }))
})
