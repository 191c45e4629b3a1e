import { join } from 'node:path'
import { profiles } from '../../projections/profiles.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { startWorker } from '../../src/projector/worker.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'

/** A worker in a process of its own, over the stores in a folder. Says its id once it has begun. */
const [folder = '', logId = '', timing = '{}'] = process.argv.slice(2)
const eventStore = await openSqliteEventStore({ file: join(folder, 'events.db') })
const readStore = await openSqliteReadStore(join(folder, 'read.db'))
const worker = await startWorker({
  eventStore,
  readStore,
  logId,
  projections: [profiles],
  partitions: 4,
  log: { info() {}, warn() {}, error: console.error },
  timing: JSON.parse(timing),
})
process.send?.(worker.id)
process.once('SIGTERM', async () => {
  await worker.stop()
  await readStore.close()
  await eventStore.close()
  process.disconnect?.()
})
