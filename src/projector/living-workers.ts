import type { ReadStore, Worker } from '../read-store/read-store.ts'
import type { Stillness } from './stillness.ts'
import { isGone } from './worker-id.ts'

/** So many times the lease's length a silent worker is kept in the books. */
const patience = 12

/** This worker, and those whose beat was seen to change within `leaseMs`; who is silent for long is removed. */
export async function livingWorkers(options: {
  id: string
  readStore: ReadStore
  stillness: Stillness
  leaseMs: number
}): Promise<Worker[]> {
  const { id, readStore, stillness, leaseMs } = options
  const living: Worker[] = []
  for (const worker of await readStore.workers()) {
    const silentMs = stillness.see(`worker ${worker.id}`, String(worker.beats))
    if (worker.id === id || (silentMs < leaseMs && !isGone(worker.id))) living.push(worker)
    else if (silentMs >= leaseMs * patience || isGone(worker.id)) await readStore.removeWorker(worker.id)
  }
  return living
}
