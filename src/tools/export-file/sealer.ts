import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { OpenLines } from './event-lines.ts'
import { type SealedLines, type Sealing, sealLines } from './seal-lines.ts'

type Waiting = { resolve(sealed: SealedLines): void; reject(error: unknown): void }

/** A short log is sealed before a thread has started. */
const batchesSealedHere = 8

/**
 * Seals lines in the order they are given, and gives their bytes back; many in a thread of its own, for half of an
 * export's time goes into its hashes.
 */
export function createSealer(first: Sealing) {
  const sealing = { ...first }
  let batches = 0
  let thread: ReturnType<typeof startThread> | undefined

  return {
    async seal(lines: OpenLines): Promise<SealedLines> {
      if (++batches > batchesSealedHere) {
        thread ??= startThread(sealing)
        return thread.seal(lines)
      }
      const sealed = sealLines(lines, sealing)
      sealing.chain = sealed.chain
      return sealed
    },

    async stop(): Promise<void> {
      await thread?.stop()
    },
  }
}

function startThread(sealing: Sealing) {
  const script = new URL(`./seal-worker${extname(import.meta.filename)}`, import.meta.url)
  const worker = new Worker(script, { workerData: sealing })
  const waiting: Waiting[] = []
  let failure: { error: unknown } | null = null
  worker.on('message', (sealed: SealedLines) => waiting.shift()?.resolve(sealed))
  worker.on('error', error => {
    failure = { error }
    for (const { reject } of waiting.splice(0)) reject(error)
  })
  return {
    seal: (lines: OpenLines): Promise<SealedLines> =>
      new Promise((resolve, reject) => {
        if (failure) throw failure.error
        waiting.push({ resolve, reject })
        worker.postMessage(lines, [lines.bytes.buffer, lines.ends.buffer])
      }),
    stop: () => worker.terminate(),
  }
}
