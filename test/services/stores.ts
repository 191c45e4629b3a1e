import { randomUUID } from 'node:crypto'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'
import type { ReadStore } from '../../src/read-store/read-store.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { type MongodbDatabase, ownDatabase } from '../support/mongodb-database.ts'

export const mongodbUrl = process.env.MONGODB_URL

/** An EventStoreDB, as far as the wire, and a database in MongoDB: a place for Rosters that nobody else uses. */
export type Stores = {
  eventstoredb: EventStoreDB
  database: MongodbDatabase
  prefix: string
  /** What a Roster has to be told to use them. */
  environment: Record<string, string>
  openReadStore(): Promise<ReadStore>
  close(): Promise<void>
}

export async function openStores(serverUrl: string): Promise<Stores> {
  const eventstoredb = await startEventStoreDB()
  const database = ownDatabase(serverUrl)
  const prefix = `test-${randomUUID()}-`
  const opened: ReadStore[] = []
  const stores: Stores = {
    eventstoredb,
    database,
    prefix,
    environment: {
      EVENTSTORE_URL: eventstoredb.url,
      MONGODB_URL: database.url,
      STREAM_PREFIX: prefix,
      JWT_SECRET: 'a secret for tests, of more than 32 bytes',
    },
    async openReadStore() {
      const store = await openMongodbReadStore({ url: database.url, prefix })
      opened.push(store)
      return store
    },
    async close() {
      await Promise.all(opened.map(store => store.close()))
      await stores.eventstoredb.stop()
      await database.drop()
    },
  }
  return stores
}
