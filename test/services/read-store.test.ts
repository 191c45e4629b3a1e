import { randomUUID } from 'node:crypto'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'
import { readStoreConformance } from '../read-store/conformance.ts'
import { ownDatabase } from '../support/mongodb-database.ts'

const serverUrl = process.env.MONGODB_URL

if (serverUrl !== undefined) {
  describe('With MONGODB_URL', () => {
    const database = ownDatabase(serverUrl)
    after(() => database.drop())

    readStoreConformance('mongodb.ts', async () => {
      const prefix = randomUUID()
      return {
        connect: () => openMongodbReadStore({ url: database.url, prefix }),
        remove: async () => {},
      }
    })
  })
}
