import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readModelDifferences } from './check-read-models.ts'
import { createLedger, noCounts } from './ledger.ts'
import { readLog } from './read-log.ts'
import { tableHead, tableRow } from './report.ts'
import { checkAll, type Fault, round } from './round.ts'
import { type Layout, type Service, startService } from './service.ts'

const schedule: { layout: Layout; fault: Fault }[] = [
  { layout: 'together', fault: { victims: ['all'], loadGoesOn: false } },
  { layout: 'apart', fault: { victims: ['api', 'workers'], loadGoesOn: false } },
  { layout: 'apart', fault: { victims: ['workers'], loadGoesOn: true } },
  { layout: 'together', fault: { victims: ['all'], loadGoesOn: false } },
  { layout: 'apart', fault: { victims: ['api'], loadGoesOn: false } },
]
const longestRoundMs = 90_000
const violationsShown = 30

/** Kills Roster in so many rounds, on one data directory, and says what was lost: resolves with the exit code. */
async function run(rounds: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'roster-faults-'))
  await mkdir(join(folder, 'data'))
  setTimeout(() => {
    console.log(`not done within ${rounds} × ${longestRoundMs} ms; see ${folder}`)
    process.exit(1)
  }, rounds * longestRoundMs).unref()

  const ledger = createLedger()
  console.log(tableHead())
  let service: Service | null = null
  for (let n = 1; n <= rounds; n++) {
    const { layout, fault } = schedule[(n - 1) % schedule.length] ?? schedule[0] ?? noSchedule()
    if (service?.layout !== layout) {
      ledger.violations.push(...((await service?.stop()) ?? []))
      service = await startService(folder, layout)
    }
    ledger.counts = noCounts()
    const before = ledger.violations.length
    const recovery = await round(service, folder, ledger, fault)
    const lost = ledger.violations.length - before
    const killed = fault.victims.join(', ')
    console.log(tableRow({ round: n, layout, killed, counts: ledger.counts, lost, ...recovery }))
  }

  if (service) {
    await checkAll(service, folder, ledger)
    ledger.violations.push(...(await service.stop()))
  }
  const dataDir = join(folder, 'data')
  ledger.violations.push(...(await readModelDifferences(dataDir, await readLog(dataDir), 'lagging')))
  for (const violation of ledger.violations.slice(0, violationsShown)) console.log(`LOST: ${violation}`)
  console.log(
    `${rounds} rounds, ${ledger.members.length} accounts, ${ledger.edits.length} edits: ${ledger.violations.length} lost`,
  )
  if (ledger.violations.length > 0) console.log(`logs and data: ${folder}`)
  else await rm(folder, { recursive: true })
  return ledger.violations.length > 0 ? 1 : 0
}

function noSchedule(): never {
  throw new Error('expected a schedule, found none')
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds: expected a whole number from 1, found ${values.rounds}`)
  process.exit(2)
}
process.exit(await run(rounds))
