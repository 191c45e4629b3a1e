import { parentPort, workerData } from 'node:worker_threads'
import type { OpenLines } from './event-lines.ts'
import { type Sealing, sealLines } from './seal-lines.ts'

/** The other side of `sealer.ts`. */
const sealing: Sealing = workerData
parentPort?.on('message', (lines: OpenLines) => {
  const sealed = sealLines(lines, sealing)
  sealing.chain = sealed.chain
  parentPort?.postMessage(sealed, [sealed.bytes.buffer])
})
