import { randomUUID } from 'node:crypto'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { withStreamPrefix } from '../../src/event-store/prefixed.ts'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'
import { secondsToRebuild } from '../world/seconds-to-rebuild.ts'

/**
 * Answers each question with how many seconds a projector takes until a new read model of the profiles is live. In a
 * process of its own. Arguments: the addresses of the two stores, and the prefix of the streams.
 */
const [eventstoreUrl = '', mongodbUrl = '', streamPrefix = ''] = process.argv.slice(2)

async function rebuild(): Promise<number> {
  const eventStore = withStreamPrefix(await openEventStoreDB({ url: eventstoreUrl }), streamPrefix)
  const readStore = await openMongodbReadStore({ url: mongodbUrl, prefix: `rebuild-${randomUUID()}` })
  await readStore.workers()
  return secondsToRebuild(eventStore, readStore)
}

process.on('message', async () => process.send?.(await rebuild()))
process.on('disconnect', () => process.exit())
process.send?.('ready')
