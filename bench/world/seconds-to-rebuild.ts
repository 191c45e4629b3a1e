import { setTimeout as pause } from 'node:timers/promises'
import { profiles } from '../../projections/profiles.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { startWorker } from '../../src/projector/worker.ts'
import type { ReadStore } from '../../src/read-store/read-store.ts'

const silent = { info() {}, warn() {}, error: console.error }

/** How many seconds a projector takes until a new read model of the profiles is live. Closes the stores. */
export async function secondsToRebuild(eventStore: EventStore, readStore: ReadStore): Promise<number> {
  const { logId } = await openLog(eventStore)
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
