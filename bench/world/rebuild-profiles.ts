import { rmSync } from 'node:fs'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { secondsToRebuild } from './seconds-to-rebuild.ts'

/**
 * Answers each question with how many seconds a projector takes until a new read model of the profiles is live. In a
 * process of its own. Arguments: the log, and the file to write.
 */
const [logFile = '', file = ''] = process.argv.slice(2)

async function rebuild(): Promise<number> {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
  const eventStore = await openSqliteEventStore({ file: logFile })
  return secondsToRebuild(eventStore, await openSqliteReadStore(file))
}

process.on('message', async () => process.send?.(await rebuild()))
process.on('disconnect', () => process.exit())
process.send?.('ready')
