import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { profiles } from '../../projections/profiles.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { startWorker } from '../../src/projector/worker.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'

/**
 * Answers each question with how many seconds a projector takes until a new read model of the profiles is live. In a
 * process of its own. Arguments: the log, and the file to write.
 */
const [logFile = '', file = ''] = process.argv.slice(2)
const silent = { info() {}, warn() {}, error: console.error }

async function rebuild(): Promise<number> {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
  const eventStore = await openSqliteEventStore({ file: logFile })
  const { logId } = await openLog(eventStore)
  const readStore = await openSqliteReadStore(file)
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
