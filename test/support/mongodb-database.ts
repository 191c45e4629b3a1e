import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'

/** A database that nobody else uses, on the server that a URL tells of. */
export type MongodbDatabase = { url: string; client: MongoClient; name: string; drop(): Promise<void> }

/** It comes to be with the first write. */
export function ownDatabase(serverUrl: string): MongodbDatabase {
  const name = `roster-test-${randomUUID()}`
  const url = withDatabase(serverUrl, name)
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 })
  return {
    url,
    client,
    name,
    async drop() {
      await client.db(name).dropDatabase()
      await client.close()
    },
  }
}

function withDatabase(url: string, name: string): string {
  const [, begin, query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(url) ?? []
  if (begin === undefined) throw new Error('expected MONGODB_URL to be mongodb://…, found another')
  return `${begin}/${name}${query}`
}
