import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { type Profile, profiles } from '../../projections/profiles.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { withStreamPrefix } from '../../src/event-store/prefixed.ts'
import type { StoredRow } from '../../src/read-store/mongodb-collections.ts'
import { createToRow } from '../../src/read-store/mongodb-writes.ts'
import type { StoredDocument } from '../../src/read-store/read-store.ts'

/**
 * Answers each question with how many seconds a loop takes to write the documents of a log, with all that they are
 * found by, into a new collection that has the same indexes. They are in memory before it starts, in the order of the
 * log. Arguments: the addresses of the two stores, and the prefix of the streams.
 */
const [eventstoreUrl = '', mongodbUrl = '', streamPrefix = ''] = process.argv.slice(2)
const documentsPerWrite = 500

async function readRows(): Promise<StoredRow[]> {
  const log = withStreamPrefix(await openEventStoreDB({ url: eventstoreUrl }), streamPrefix)
  const documents = new Map<string, StoredDocument<Profile>>()
  for await (const { events } of log.readAll({ filter: { prefixes: profiles.streams } })) {
    for (const event of events.map(toRecorded)) {
      const { stream, revision } = event
      const key = profiles.key(event)
      if (key === null) continue
      const document = profiles.evolve(documents.get(key)?.document ?? null, event)
      documents.set(key, { key, stream, revision, document })
    }
  }
  await log.close()
  return [...documents.values()].map(createToRow(profiles))
}

const rows = await readRows()
const client = await new MongoClient(mongodbUrl, { writeConcern: { w: 'majority' } }).connect()

async function write(): Promise<number> {
  const started = performance.now()
  const collection = client.db().collection<StoredRow>(`bare-bulk-${randomUUID()}`)
  await collection.createIndexes([
    { key: { 'by.username': 1, _id: 1 }, name: 'by_username' },
    { key: { suffixes: 1 }, name: 'suffixes' },
  ])
  for (let at = 0; at < rows.length; at += documentsPerWrite) {
    const some = rows.slice(at, at + documentsPerWrite)
    await collection.bulkWrite(
      some.map(document => ({ insertOne: { document } })),
      { ordered: false },
    )
  }
  const seconds = (performance.now() - started) / 1000
  await collection.drop()
  return seconds
}

process.on('message', async () => process.send?.(await write()))
process.on('disconnect', () => process.exit())
process.send?.('ready')
