import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { profiles } from '../../projections/profiles.ts'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { withStreamPrefix } from '../../src/event-store/prefixed.ts'
import { startWorker } from '../../src/projector/worker.ts'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'

/**
 * Answers each question with how many seconds a projector takes until a new read model of the profiles is live. In a
 * process of its own. Arguments: the addresses of the two stores, and the prefix of the streams.
 */
const [eventstoreUrl = '', mongodbUrl = '', streamPrefix = ''] = process.argv.slice(2)
const silent = { info() {}, warn() {}, error: console.error }

async function rebuild(): Promise<number> {
  const eventStore = withStreamPrefix(await openEventStoreDB({ url: eventstoreUrl }), streamPrefix)
  const { logId } = await openLog(eventStore)
  const readStore = await openMongodbReadStore({ url: mongodbUrl, prefix: `rebuild-${randomUUID()}` })
  await readStore.workers()
  const started = performance.now()
  const worker = await startWorker({
    eventStore,
    readStore,
    logId,
    projections: [profiles],
    partitions: 4,
    log: silent,
  })
  for (;;) {
    const pointer = await readStore.pointer(profiles.name)
    if (pointer !== null && pointer.live !== null) break
    await pause(20)
  }
  const seconds = (performance.now() - started) / 1000
  await worker.stop()
  await readStore.close()
  await eventStore.close()
  return seconds
}

process.on('message', async () => process.send?.(await rebuild()))
process.on('disconnect', () => process.exit())
process.send?.('ready')
