import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { httpSuite } from '../http/suite/index.ts'
import type { StartServer } from '../http/suite/test-server.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { eventually } from '../support/eventually.ts'
import { ownDatabase } from '../support/mongodb-database.ts'
import { startServer } from '../support/server.ts'

const { EVENTSTORE_URL: eventstoreUrl, MONGODB_URL: mongodbUrl } = process.env

/** Whichever servers there are; EventStoreDB's protocol is spoken by the tests' own server where there is none. */
if (mongodbUrl !== undefined) {
  describe('With MONGODB_URL', function () {
    this.timeout(60_000)
    const database = ownDatabase(mongodbUrl)
    let eventstoredb: EventStoreDB | null = null

    before(async () => {
      eventstoredb = eventstoreUrl === undefined ? await startEventStoreDB() : null
    })
    after(async () => {
      await eventstoredb?.stop()
      await database.drop()
    })

    /** Each has events and collections of its own. */
    const start: StartServer = async environment => {
      const server = await startServer({
        EVENTSTORE_URL: eventstoreUrl ?? eventstoredb?.url ?? 'expected a started server',
        MONGODB_URL: database.url,
        STREAM_PREFIX: `test-${randomUUID()}-`,
        ...environment,
      })
      // It listens before it has reached its stores.
      await eventually(async () => {
        expect((await server.client.post('/api/token/refresh/', { refresh: 'none' })).status).to.equal(401)
        if (environment?.ROLES !== undefined) return
        expect((await server.client.get('/api/users/?query=nobody')).status).to.equal(200)
      }, 30_000)
      return server
    }

    httpSuite(`EventStoreDB${eventstoreUrl === undefined ? ', as far as the wire,' : ''} and MongoDB`, start)
  })
}
