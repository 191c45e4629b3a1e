import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createCaller } from '../load/caller.ts'
import { openOutbox } from '../load/outbox.ts'
import type { World } from '../world/world.ts'
import { checkErased, resolveErasures } from './check-erased.ts'
import { checkLog } from './check-log.ts'
import { checkCredentials, checkProfiles } from './check-members.ts'
import { resolveAttempts } from './check-names.ts'
import { readModelDifferences } from './check-read-models.ts'
import { readLog } from './read-log.ts'

export type Recovery = { healthyAfterMs: number; caughtUpAfterMs: number }

/** A lease is free 5 s after its holder was killed, and what piled up meanwhile is to be done. */
const catchUpWithinMs = 60_000
const lookAgainMs = 50

/** Starts what is dead, and looks at everything that was touched since the last time. */
export async function recover(world: World): Promise<Recovery> {
  const { ledger, service, truth, operate } = world
  const from = performance.now()
  const since = () => Math.round(performance.now() - from)
  await service.revive(0)
  const healthyAfterMs = since()

  const caller = createCaller(service.url(), ledger)
  const outbox = openOutbox(join(truth.dataDir, 'outbox'))
  try {
    const [caughtUpAfterMs] = await Promise.all([
      caughtUp(world).then(since),
      resolveErasures(ledger, caller).then(() => resolveAttempts(ledger, caller)),
    ])
    const touched = ledger.members.filter(member => member.touched)
    const mailsEnd = performance.now() + catchUpWithinMs
    const doing = { caller, ledger, outbox, operate, giveUp: () => performance.now() > mailsEnd }
    await checkCredentials(doing, touched)
    await caughtUp(world)
    await checkProfiles(doing, touched)
    await checkErased(world, caller)
    checkLog(await readLog(truth), ledger)
    for (const member of ledger.members) member.touched = false
    return { healthyAfterMs, caughtUpAfterMs }
  } finally {
    caller.close()
  }
}

/** Every read model equals the fold of the log, soon; what differs then goes to the ledger. */
export async function caughtUp({ truth, ledger }: World): Promise<void> {
  const end = performance.now() + catchUpWithinMs
  for (;;) {
    const from = performance.now()
    const differences = await readModelDifferences(truth, await readLog(truth), 'caught up')
    if (differences.length === 0) return
    if (performance.now() > end) {
      ledger.violations.push(...differences)
      return
    }
    await pause(Math.max(lookAgainMs, performance.now() - from))
  }
}

/** Everybody, once more, whenever they were last touched. */
export async function checkAll({ service, truth, ledger, operate }: World): Promise<void> {
  const caller = createCaller(service.url(), ledger)
  const outbox = openOutbox(join(truth.dataDir, 'outbox'))
  try {
    const doing = { caller, ledger, outbox, operate, giveUp: () => true }
    await checkCredentials(doing, ledger.members)
    await checkProfiles(doing, ledger.members)
  } finally {
    caller.close()
  }
}

/** Once all of Roster is stopped: the read models may be behind the log, but tell nothing that it does not. */
export async function checkAtRest({ truth, ledger }: World): Promise<void> {
  ledger.violations.push(...(await readModelDifferences(truth, await readLog(truth), 'lagging')))
}
