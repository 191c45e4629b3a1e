import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

const fullMs = 3000
const fillEveryMs = 50

/** Fills the disk with a file of somebody else's, under load and over a kill; then that file goes away. */
export const fillDisk: Fault['commit'] = async ({ service, underLoad, truth, ledger }) => {
  const ballast = join(truth.dataDir, 'of-somebody-else')
  let refused = 0
  await underLoad(async load => {
    await pause(500)
    const unanswered = ledger.counts.unanswered
    for (const end = performance.now() + fullMs; performance.now() < end; ) {
      fill(ballast)
      await pause(fillEveryMs)
    }
    load.surge()
    fill(ballast)
    refused = ledger.counts.unanswered - unanswered
    if (refused === 0) ledger.violations.push('the disk was full: expected 503 for commands, found none')
    await service.kill(service.names)
  })
  // It may start or not: what counts is that it does once there is room, and has lost nothing.
  const started = await service.revive(0).then(
    () => 'and a start there',
    () => 'and a refused start there',
  )
  await service.kill(service.names)
  await rm(ballast)
  return `no room for ${fullMs / 1000} s, ${refused} commands refused, kill -9 of all, ${started}`
}

/** Until nothing more fits. */
function fill(file: string): void {
  for (const size of [1024 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }
}
