import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { Extent, Fault } from './fault.ts'
import { faults } from './faults.ts'
import { inParallel } from './load/in-parallel.ts'
import { meet } from './meet.ts'
import { tableHead } from './report.ts'
import { cannotTellHandles } from './world/memory.ts'
import { kills } from './world/service.ts'
import type { Stores } from './world/world.ts'

const limitMinutes = { quick: 5, whole: 60 }
/** Most of the time is spent waiting for leases and deadlines. */
const atOnce = 3

type Run = Extent & { only: string; on: Stores | undefined }

/** Meets every fault, says what was lost, and resolves with the exit code. */
async function run({ only, on: wantedOn, ...extent }: Run): Promise<number> {
  const minutes = extent.isQuick ? limitMinutes.quick : limitMinutes.whole
  setTimeout(() => {
    console.log(`LOST: expected an end within ${minutes} minutes, found none`)
    process.exit(1)
  }, minutes * 60_000).unref()

  const skipped: string[] = []
  const wanted = only === '' ? faults : named(only)
  if (process.env.MONGODB_URL === undefined)
    skipped.push('MongoDB: MONGODB_URL says of none; with EventStoreDB the read models are in SQLite')
  const untold = cannotTellHandles()
  if (untold !== null) skipped.push(`file handles: ${untold}`)
  const todo: { fault: Fault; on: Stores }[] = []
  for (const fault of wanted) {
    const isLeftOut = only === '' && extent.isQuick && fault.rounds.quick === 0
    const reason = isLeftOut ? 'not with --quick' : ((await fault.cannot?.()) ?? null)
    if (reason !== null) {
      skipped.push(`${fault.name}: ${reason}`)
      continue
    }
    const one = wantedOn ?? (extent.isQuick && only === '' ? fault.quickOn : undefined)
    for (const on of fault.on) {
      if (on === (one ?? on)) todo.push({ fault, on })
      else
        skipped.push(
          `${fault.name} on ${on}: ${one} alone ${wantedOn === undefined ? 'with --quick' : 'is wanted'}`,
        )
    }
    if (one !== undefined && !fault.on.includes(one))
      skipped.push(`${fault.name} on ${one}: is not met there`)
  }
  for (const what of skipped) console.log(`SKIPPED: ${what}`)

  console.log(tableHead())
  const standstill = monitorEventLoopDelay()
  standstill.enable()
  let lost = 0
  for (const isAlone of [false, true]) {
    const together = todo.filter(({ fault }) => (fault.alone ?? false) === isAlone)
    await inParallel(together, isAlone ? 1 : atOnce, async ({ fault, on }) => {
      // Not in one: what others add meanwhile would be forgotten.
      const here = await meet(fault, on, extent)
      lost += here
    })
  }
  console.log(`kill -9: ${[...kills].map(([role, times]) => `${role} ${times}`).join(', ') || 'none'}`)
  for (const what of skipped) console.log(`SKIPPED: ${what}`)
  console.log(`The laboratory itself stood still for ${(standstill.max / 1e9).toFixed(1)} s at most`)
  console.log(`${todo.length} faults, ${Math.round(performance.now() / 1000)} s: ${lost} lost`)
  return lost > 0 ? 1 : 0
}

/** The faults of which `--only` has part of the name; each of its parts must be of one. */
function named(only: string): Fault[] {
  const parts = only.split(',').map(part => part.trim())
  for (const part of parts)
    if (part === '' || !faults.some(({ name }) => name.includes(part)))
      refuse(`--only: expected part of a fault's name, found ${JSON.stringify(part)}`)
  return faults.filter(({ name }) => parts.some(part => name.includes(part)))
}

function refuse(message: string): never {
  console.error(message)
  process.exit(2)
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    on: { type: 'string' },
    fuzz: { type: 'string' },
    'soak-minutes': { type: 'string', default: '10' },
    'tool-users': { type: 'string', default: '3000' },
    tools: { type: 'string', default: '' },
  },
})

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  refuse(`--${name}: expected a whole number from 1, found ${text}`)
}

function storesNamed(text: string | undefined): Stores | undefined {
  if (text === undefined || text === 'embedded' || text === 'servers') return text
  refuse(`--on: expected embedded or servers, found ${text}`)
}

process.exit(
  await run({
    isQuick: values.quick,
    on: storesNamed(values.on),
    // A number of requests alone is a wish for the fuzzing alone.
    only: values.only === '' && values.fuzz !== undefined ? 'fuzz' : values.only,
    fuzzRequests: wholeNumber('fuzz', values.fuzz ?? (values.quick ? '2000' : '100000')),
    soakMinutes: wholeNumber('soak-minutes', values['soak-minutes']),
    toolUsers: wholeNumber('tool-users', values['tool-users']),
    tools: values.tools === '' ? [] : values.tools.split(',').map(name => name.trim()),
  }),
)
