import { parentPort, workerData } from 'node:worker_threads'
import type { OpenLines } from './event-lines.ts'
import { sealLines } from './seal-lines.ts'
import type { SealedLines, Sealing } from './sealer.ts'

/** The other side of `sealer.ts`. */
const { saltKey, chain: first }: Sealing = workerData
let chain = first
parentPort?.on('message', (lines: OpenLines) => {
  chain = sealLines(lines, saltKey, chain)
  const sealed: SealedLines = { bytes: lines.bytes, chain }
  parentPort?.postMessage(sealed, [lines.bytes.buffer])
})
