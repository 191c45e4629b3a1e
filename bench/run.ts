import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Case, fullScale, quickScale } from './bench.ts'
import { markdownReport, terminalTable } from './measuring/report.ts'
import { startBench } from './start-bench.ts'
import { embedded } from './suites/embedded.ts'

const usage = `npm run bench -- [--quick] [--only <part of a case's name>] [--data <folder>] [--profile <folder>]

  --quick     everything at a tenth of the size and time
  --only      just the cases whose name has this in it
  --data      keep the seeded logs there, and use those that are there
  --profile   leave a CPU profile of each Roster there

Results are written to bench/results.md by a whole run at full size.`

const results = fileURLToPath(new URL('results.md', import.meta.url))

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      data: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const { only, quick, data, profile } = values
  const cases = chosen(embedded, only)
  const scale = quick ? quickScale : fullScale
  const bench = await startBench({ scale, dataFolder: data ?? null, profileDir: profile ?? null })
  try {
    for (const each of cases) await each.run(bench)
  } finally {
    await bench.closeWorlds()
  }
  console.log(`\n${terminalTable(bench.lines)}\n`)
  if (quick || only !== undefined || profile !== undefined) return
  const notes = [
    `Medians of ${scale.rounds} rounds of ${scale.roundSeconds} s, all sides in turn; a ratio is that of one round`,
    '16 connections of autocannon in another process, one Roster process, loopback',
  ]
  await writeFile(results, markdownReport('npm run bench', bench.lines, notes))
  console.log(`Written to ${results}`)
}

function chosen(cases: readonly Case[], only: string | undefined): Case[] {
  const found = cases.filter(({ name }) => only === undefined || name.includes(only))
  if (found.length > 0) return found
  throw new Error(`expected --only to be part of one of ${cases.map(({ name }) => `"${name}"`).join(', ')}`)
}

// The servers that it started end with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
