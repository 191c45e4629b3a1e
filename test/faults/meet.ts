import { setTimeout as pause } from 'node:timers/promises'
import { checkAll, checkAtRest, recover } from './checks/recover.ts'
import type { Extent, Fault } from './fault.ts'
import { noCounts } from './load/ledger.ts'
import { tableRow, written } from './report.ts'
import { type Held, held, megabytes, together } from './world/memory.ts'
import type { RosterProcess } from './world/roster-process.ts'
import { openWorld, type Stores, type World } from './world/world.ts'

const violationsShown = 20
const warmUpMs = 500
/** Of a process: caches fill, code is compiled. */
const mayGrowByBytes = 48 * 1024 * 1024
/** Of a process: connections to stores are kept. */
const mayGrowByHandles = 120

/** Meets a fault so many times in a world of its own, prints a row for each, and resolves to what was lost. */
export async function meet(fault: Fault, on: Stores, extent: Extent): Promise<number> {
  try {
    return await meetIn(await openWorld(on, fault.layout, fault.needs), fault, extent)
  } catch (error) {
    console.log(`LOST: ${fault.name}, ${on}: ${error instanceof Error ? error.stack : error}`)
    return 1
  }
}

async function meetIn(world: World, fault: Fault, extent: Extent): Promise<number> {
  const { violations } = world.ledger
  let told = 0
  try {
    // One that `--quick` leaves out was asked for by its name.
    const rounds = Math.max(1, extent.isQuick ? fault.rounds.quick : fault.rounds.whole)
    for (let n = 0; n < rounds; n++) {
      await round(world, fault, extent, () => violations.length - told)
      told = tell(violations, told)
    }
    await checkAll(world)
    violations.push(...(await world.stop()))
    await checkAtRest(world)
  } catch (error) {
    violations.push(`${fault.name} came to no end: ${error instanceof Error ? error.stack : error}`)
  }
  tell(violations, told)
  if (violations.length > 0) console.log(`${fault.name}: logs and data are in ${world.folder}`)
  await world.stop()
  await world.remove(violations.length > 0)
  return violations.length
}

async function round(world: World, fault: Fault, extent: Extent, lost: () => number): Promise<void> {
  const { ledger, service, stores } = world
  ledger.counts = noCounts()
  await world.underLoad(() => pause(warmUpMs))
  const heldBefore = await held(service.processes())
  const did = await fault.commit(world, extent)
  const recovery = await recover(world)
  const heldAfter = await held(service.processes())
  ledger.violations.push(...service.crashes())
  if (written(ledger.counts) === 0)
    ledger.violations.push('nothing was acknowledged, so nothing could get lost: expected some writes')
  ledger.violations.push(...notReturned(heldBefore, heldAfter))
  const [before, after] = [together(heldBefore.values()), together(heldAfter.values())]
  console.log(
    tableRow({
      ...{ fault: fault.name, stores, did, counts: ledger.counts },
      ...{ recovery, before, after, lost: lost() },
    }),
  )
}

/** What those that live on hold too much of. */
function notReturned(
  before: ReadonlyMap<RosterProcess, Held>,
  after: ReadonlyMap<RosterProcess, Held>,
): string[] {
  const survivors = [...before.keys()].filter(process => after.has(process))
  const of = (each: typeof before) => together(survivors.flatMap(process => each.get(process) ?? []))
  const [then, now] = [of(before), of(after)]
  const found: string[] = []
  if (now.bytes - then.bytes > survivors.length * mayGrowByBytes)
    found.push(
      `memory was not returned: expected about ${megabytes(then.bytes)}, found ${megabytes(now.bytes)}`,
    )
  if (now.handles !== null && now.handles - (then.handles ?? 0) > survivors.length * mayGrowByHandles)
    found.push(`file handles were not returned: expected about ${then.handles}, found ${now.handles}`)
  return found
}

function tell(violations: readonly string[], from: number): number {
  for (const violation of violations.slice(from, from + violationsShown)) console.log(`LOST: ${violation}`)
  const more = violations.length - from - violationsShown
  if (more > 0) console.log(`LOST: and ${more} more`)
  return violations.length
}
