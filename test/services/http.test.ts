import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { httpSuite } from '../http/suite/index.ts'
import type { StartServer } from '../http/suite/test-server.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { eventually } from '../support/eventually.ts'
import { type MongodbDatabase, ownDatabase } from '../support/mongodb-database.ts'
import { startServer } from '../support/server.ts'

const { EVENTSTORE_URL: eventstoreUrl, MONGODB_URL: mongodbUrl } = process.env

/** EventStoreDB's protocol is spoken by the tests' own server where there is none; SQLite stands in for MongoDB. */
if (eventstoreUrl !== undefined || mongodbUrl !== undefined) {
  describe('On the servers at hand', () => {
    let database: MongodbDatabase | null = null
    let eventstoredb: EventStoreDB | null = null

    before(async () => {
      if (mongodbUrl !== undefined) database = ownDatabase(mongodbUrl)
      if (eventstoreUrl === undefined) eventstoredb = await startEventStoreDB()
    })
    after(async () => {
      await eventstoredb?.stop()
      await database?.drop()
    })

    /** Each has events and collections of its own. */
    const start: StartServer = async environment => {
      const server = await startServer({
        EVENTSTORE_URL: eventstoreUrl ?? eventstoredb?.url ?? 'expected a started server',
        ...(database ? { MONGODB_URL: database.url } : {}),
        STREAM_PREFIX: `test-${randomUUID()}-`,
        ...environment,
      })
      // It listens before it has reached its stores.
      await eventually(async () => {
        expect((await server.client.post('/api/token/refresh/', { refresh: 'none' })).status).to.equal(401)
        if (environment?.ROLES !== undefined) return
        // Not a search: a case may count those.
        expect((await server.client.get('/api/users/nobody/')).status).to.equal(404)
      }, 30_000)
      return server
    }

    const readStore = mongodbUrl === undefined ? 'SQLite' : 'MongoDB'
    httpSuite(
      `EventStoreDB${eventstoreUrl === undefined ? ', as far as the wire,' : ''} and ${readStore}`,
      start,
    )
  })
}
