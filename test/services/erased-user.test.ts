import { expect } from 'chai'
import type { TestServer } from '../http/suite/test-server.ts'
import { eventually } from '../support/eventually.ts'
import { doneErasing, livePlanted, planted } from '../support/planted-user.ts'
import { roster } from '../support/run-roster.ts'
import { startServer } from '../support/server.ts'
import { mongodbUrl, openStores, type Stores } from './stores.ts'

const serverUrl = mongodbUrl
if (serverUrl !== undefined) {
  describe('An erased user, on EventStoreDB and MongoDB', () => {
    let stores: Stores
    const servers: TestServer[] = []

    before(async () => {
      stores = await openStores(serverUrl)
    })
    after(async () => {
      await Promise.all(servers.map(server => server.stop()))
      await stores.close()
    })

    async function start(environment: Record<string, string> = {}): Promise<TestServer> {
      const server = await startServer({ ...stores.environment, RATE_LIMITS: 'on', ...environment })
      servers.push(server)
      await eventually(async () => {
        expect((await server.client.get('/api/users/nobody/')).status).to.equal(404)
      }, 60_000)
      return server
    }

    /** Names of the collections with a document that has the planted text in it. */
    async function collectionsThatTell(): Promise<string[]> {
      const db = stores.database.client.db(stores.database.name)
      const names = (await db.listCollections().toArray()).map(({ name }) => name)
      const found = await Promise.all(
        names.map(async name => {
          const documents = await db.collection(name).find().toArray()
          return JSON.stringify(documents).toLowerCase().includes(planted) ? [name] : []
        }),
      )
      return found.flat().toSorted()
    }

    it('is in no collection any more, nor in one that is kept for a way back', async () => {
      const server = await start()
      const other = await start({ ROLES: 'api' })
      const user = await livePlanted(server.client, other.client)
      await eventually(async () => {
        for (const email of user.emails) expect(await server.mails(email)).to.have.lengthOf(1)
      }, 60_000)
      const replayed = await roster(stores.environment, ['replay'])
      expect(replayed.code, replayed.stderr).to.equal(0)
      // Of profiles and of sessions, each in use and the one before.
      expect(await collectionsThatTell()).to.have.lengthOf(4)

      await user.erase(other.client)
      await eventually(async () => {
        expect((await server.logged()).map(({ msg }) => msg)).to.include(doneErasing)
      }, 60_000)
      expect(await collectionsThatTell()).to.deep.equal([])
      for (const email of user.emails) expect(await server.mails(email)).to.deep.equal([])
    })
  })
}
