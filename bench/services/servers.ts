import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { z } from 'zod'
import { startChild } from '../measuring/child.ts'

/** An EventStoreDB and a place of our own in a MongoDB. */
export type Servers = {
  eventstoreUrl: string
  mongodbUrl: string
  /** What they are, for the report. */
  notes: string[]
  stop(): Promise<void>
}

const listening = z.object({ url: z.string() })

/**
 * Those of EVENTSTORE_URL and MONGODB_URL. EventStoreDB's protocol is spoken by the tests' own server where there is
 * none, in a process of its own.
 */
export async function openServers(env: NodeJS.ProcessEnv): Promise<Servers> {
  const { EVENTSTORE_URL, MONGODB_URL } = env
  if (MONGODB_URL === undefined) {
    throw new Error('expected MONGODB_URL to be set: env "$(.ci/services start)" npm run bench -- --services')
  }
  const wireLevel =
    EVENTSTORE_URL === undefined ? await startChild(new URL('eventstoredb.ts', import.meta.url)) : null
  const database = new URL(MONGODB_URL)
  database.pathname = `roster-bench-${randomUUID()}`
  const client = await new MongoClient(MONGODB_URL).connect()
  const { version } = await client.db().command({ buildInfo: 1 })
  return {
    eventstoreUrl: EVENTSTORE_URL ?? listening.parse(wireLevel?.ready).url,
    mongodbUrl: database.href,
    notes: [
      EVENTSTORE_URL === undefined
        ? "EventStoreDB's protocol as the tests' own server speaks it, its log in memory, on the same cores"
        : 'EventStoreDB of EVENTSTORE_URL',
      `MongoDB of MONGODB_URL, which says version ${String(version)}`,
    ],
    async stop() {
      await client.db(database.pathname.slice(1)).dropDatabase()
      await client.close()
      await wireLevel?.stop()
    },
  }
}
