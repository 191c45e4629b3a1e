import { randomUUID } from 'node:crypto'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'
import { auditConformance } from '../read-store/audit-conformance.ts'
import { readStoreConformance } from '../read-store/conformance.ts'
import { sessionConformance } from '../read-store/session-conformance.ts'
import { ownDatabase } from '../support/mongodb-database.ts'

const serverUrl = process.env.MONGODB_URL

if (serverUrl !== undefined) {
  describe('With MONGODB_URL', () => {
    const database = ownDatabase(serverUrl)
    after(() => database.drop())

    const fresh = async () => {
      const prefix = randomUUID()
      return {
        connect: () => openMongodbReadStore({ url: database.url, prefix }),
        remove: async () => {},
      }
    }
    readStoreConformance('mongodb.ts', fresh)
    auditConformance('mongodb.ts', fresh, 5)
    sessionConformance('mongodb.ts', fresh)
  })
}
