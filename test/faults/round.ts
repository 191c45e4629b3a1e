import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createCaller } from './caller.ts'
import { checkLog } from './check-log.ts'
import { checkCredentials, checkProfiles } from './check-members.ts'
import { resolveAttempts } from './check-names.ts'
import { readModelDifferences } from './check-read-models.ts'
import type { Ledger, Member } from './ledger.ts'
import { startLoad } from './load.ts'
import { type Outbox, openOutbox } from './outbox.ts'
import { readLog } from './read-log.ts'
import type { Service } from './service.ts'

/** What is killed, of which the API may not be part. */
export type Fault = { victims: readonly string[]; loadGoesOn: boolean }

export type Recovery = { killedAfterMs: number; healthyAfterMs: number; caughtUpAfterMs: number }

const killWithinMs = 1500
const surgeLastsMs = 60
const loadGoesOnMs = 1000
const falseStarts = 30
/** A lease is free 5 s after its holder was killed, and what piled up meanwhile is to be done. */
const catchUpWithinMs = 20_000

/** Load, a kill, a restart; then everything is looked at. What is wrong goes to the ledger. */
export async function round(
  service: Service,
  folder: string,
  ledger: Ledger,
  fault: Fault,
): Promise<Recovery> {
  const dataDir = join(folder, 'data')
  const outbox = openOutbox(join(dataDir, 'outbox'))
  for (const member of ledger.members) member.touched = false

  const killedAfterMs = 200 + randomInt(killWithinMs)
  await loadAndKill(service, ledger, outbox, fault, killedAfterMs)

  const from = performance.now()
  const since = () => Math.round(performance.now() - from)
  await service.revive(falseStarts)
  const healthyAfterMs = since()

  const caller = createCaller(service.url(), ledger)
  try {
    const [caughtUpAfterMs] = await Promise.all([
      caughtUp(dataDir, ledger).then(since),
      resolveAttempts(ledger, caller),
    ])
    const touched = ledger.members.filter(member => member.touched)
    const mailsEnd = performance.now() + catchUpWithinMs
    const doing = { caller, ledger, outbox, giveUp: () => performance.now() > mailsEnd }
    await checkCredentials(doing, touched)
    await caughtUp(dataDir, ledger)
    await checkProfiles(doing, touched)
    checkLog(await readLog(dataDir), ledger)
    return { killedAfterMs, healthyAfterMs, caughtUpAfterMs }
  } finally {
    caller.close()
  }
}

async function loadAndKill(
  service: Service,
  ledger: Ledger,
  outbox: Outbox,
  { victims, loadGoesOn }: Fault,
  killAfterMs: number,
): Promise<void> {
  const caller = createCaller(service.url(), ledger)
  try {
    const load = startLoad({ caller, ledger, outbox })
    await pause(killAfterMs)
    load.surge()
    await pause(randomInt(surgeLastsMs))
    await service.kill(victims)
    if (loadGoesOn) await pause(loadGoesOnMs)
    await load.stop()
  } finally {
    caller.close()
  }
}

/** Every read model equals the fold of the log, soon. */
async function caughtUp(dataDir: string, ledger: Ledger): Promise<void> {
  const end = performance.now() + catchUpWithinMs
  for (;;) {
    const differences = await readModelDifferences(dataDir, await readLog(dataDir), 'caught up')
    if (differences.length === 0) return
    if (performance.now() > end) {
      ledger.violations.push(...differences)
      return
    }
    await pause(50)
  }
}

/** Everybody, once more, whenever they were last touched. */
export async function checkAll(service: Service, folder: string, ledger: Ledger): Promise<void> {
  const caller = createCaller(service.url(), ledger)
  const outbox = openOutbox(join(folder, 'data', 'outbox'))
  const members: readonly Member[] = ledger.members
  try {
    const doing = { caller, ledger, outbox, giveUp: () => true }
    await checkCredentials(doing, members)
    await checkProfiles(doing, members)
  } finally {
    caller.close()
  }
}
