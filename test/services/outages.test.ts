import { expect } from 'chai'
import { newPerson } from '../http/suite/people.ts'
import type { TestServer } from '../http/suite/test-server.ts'
import { eventually } from '../support/eventually.ts'
import { textIn } from '../support/http-client.ts'
import { startServer } from '../support/server.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { mongodbUrl, openStores, type Stores } from './stores.ts'

/** Far longer than the tests may take: so a command that waits to be shown fails them. */
const READ_YOUR_WRITES_TIMEOUT_MS = '120000'
const password = 'Bosphorus-1453'

const serverUrl = mongodbUrl
if (serverUrl !== undefined) {
  describe('Roster on EventStoreDB and MongoDB', function () {
    this.timeout(120_000)
    let stores: Stores
    let proxy: TcpProxy
    let environment: Record<string, string>
    const servers: TestServer[] = []

    beforeEach(async () => {
      stores = await openStores(serverUrl)
      const url = new URL(stores.database.url)
      proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port || 27017) })
      url.host = `127.0.0.1:${proxy.port}`
      url.searchParams.set('directConnection', 'true')
      environment = { ...stores.environment, MONGODB_URL: url.href, READ_YOUR_WRITES_TIMEOUT_MS }
    })
    afterEach(async () => {
      await proxy.mend()
      await Promise.all(servers.splice(0).map(server => server.stop()))
      await proxy.close()
      await stores.close()
    })

    async function start(): Promise<TestServer> {
      const server = await startServer(environment)
      servers.push(server)
      await eventually(async () => {
        expect((await server.client.post('/api/token/refresh/', { refresh: 'none' })).status).to.equal(401)
      }, 60_000)
      return server
    }

    const isShown = (server: TestServer, username: string) =>
      eventually(async () => {
        expect((await server.client.get(`/api/users/${username}/`)).status).to.equal(200)
        const found = await server.client.get(`/api/users/?query=${username}`)
        expect(found.body).to.be.an('array').with.length(1)
      }, 60_000)

    /** Everything a user does that has to go on without the read store. */
    async function liveOn(server: TestServer, names: readonly string[]): Promise<void> {
      const { client } = server
      for (const username of names) {
        const email = `${username}@example.org`
        const registered = await client.post('/api/user/create/', { username, email, password })
        expect(registered.status).to.equal(201)
        expect(registered.headers).to.have.property('roster-visible', 'pending')
        const login = await client.post('/api/token/obtain/', { username, password })
        expect(login.status).to.equal(200)
        const refreshed = await client.post('/api/token/refresh/', { refresh: textIn(login, 'refresh') })
        expect(refreshed.status).to.equal(200)
        const auth = { Authorization: `Bearer ${textIn(refreshed, 'access')}` }
        const edited = await client.put(`/api/users/${username}/`, { bio: 'meanwhile' }, auth)
        expect(edited.status).to.equal(200)
        expect(edited.headers).to.have.property('roster-visible', 'pending')
        expect((await client.post('/api/password/reset/', { email })).status).to.equal(200)
        const read = await client.get(`/api/users/${username}/`)
        expect(read.status).to.equal(503)
        expect(read.headers['retry-after']).to.match(/^\d+$/)
      }
    }

    const names = (how: string) => Array.from({ length: 8 }, (_, at) => `${how}_${at}`)

    for (const [how, order] of [
      ['down', (to: TcpProxy) => to.cut()],
      ['stuck', async (to: TcpProxy) => to.hang()],
    ] as const) {
      it(`goes on without the read store when that is ${how}, and shows all of it afterwards`, async () => {
        const server = await start()
        const { username } = await newPerson(server)
        await isShown(server, username)
        await order(proxy)
        await liveOn(server, names(how))
        await proxy.mend()
        for (const each of names(how)) await isShown(server, each)
        const shown = await server.client.get(`/api/users/${how}_3/`)
        expect(shown.body).to.include({ bio: 'meanwhile' })
      })
    }

    it('starts while the read store is down, and shows everything once it is there', async () => {
      await proxy.cut()
      const server = await start()
      await liveOn(server, names('early'))
      await proxy.mend()
      for (const each of names('early')) await isShown(server, each)
    })

    it('sends the mails that were asked for meanwhile, once the read store is there again', async () => {
      const server = await start()
      const { username, email } = await newPerson(server)
      await isShown(server, username)
      await proxy.cut()
      expect((await server.client.post('/api/password/reset/', { email })).status).to.equal(200)
      await proxy.mend()
      await eventually(async () => expect(await server.resetTokens(email)).to.have.length(1), 60_000)
    })

    it('shows profiles and searches while the event store is down', async () => {
      const server = await start()
      const { username, auth, path } = await newPerson(server)
      await isShown(server, username)
      await stores.eventstoredb.goDown()
      for (let round = 0; round < 5; round++) {
        await isShown(server, username)
        expect((await server.client.get(path, auth)).body).to.have.property('email')
      }
      await stores.eventstoredb.comeUp()
      await eventually(async () => {
        const edited = await server.client.put(path, { bio: 'again' }, auth)
        expect(edited.status).to.equal(200)
      }, 60_000)
      await eventually(async () => {
        expect((await server.client.get(path)).body).to.include({ bio: 'again' })
      }, 60_000)
    })
  })
}
