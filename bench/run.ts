import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Case, fullScale, quickScale, type Scale } from './bench.ts'
import { markdownReport, terminalTable } from './measuring/report.ts'
import { openServers } from './services/servers.ts'
import { startBench } from './start-bench.ts'
import { audit } from './suites/audit.ts'
import { embedded } from './suites/embedded.ts'
import { servicesScale, servicesSuite } from './suites/services.ts'

const usage = `npm run bench -- [audit | --services] [--quick] [--only <part of a case's name>] [--data <folder>] [--profile <folder>]

  audit       the tools on a log of three million events, instead of the service
  --services  on EventStoreDB and MongoDB: EVENTSTORE_URL (else the tests' own server) and MONGODB_URL
  --quick     everything at a tenth of the size and time
  --only      just the cases whose name has this in it
  --data      keep the seeded logs there, and use those that are there
  --profile   leave a CPU profile of each Roster there

Results are written to bench/results.md, results-audit.md or results-services.md by a whole run at full size.`

type Suite = {
  name: string
  cases: readonly Case[]
  scale?: Scale
  results: string
  notes(scale: Scale): string[]
  close?(): Promise<void>
}

const service: Suite = {
  name: 'npm run bench',
  cases: embedded,
  results: 'results.md',
  notes: scale => [
    `Medians of ${scale.rounds} rounds of ${scale.roundSeconds} s, all sides in turn; a ratio is that of one round`,
    `Each side runs for ${scale.warmUpSeconds} s first`,
    '16 connections of autocannon in another process, one Roster process, loopback',
  ],
}

const tools: Suite = {
  name: 'npm run bench -- audit',
  cases: audit,
  results: 'results-audit.md',
  notes: ({ rounds, roundSeconds }) => [
    'Each tool is a process of its own, and what is counted is the time from its start to its end',
    `GET: medians of ${rounds} rounds of ${roundSeconds} s, 16 connections of autocannon, loopback`,
  ],
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      data: { type: 'string' },
      profile: { type: 'string' },
      services: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const { only, quick, data, profile, services } = values
  const suite = services ? await onServices(profile ?? null) : chosenSuite(positionals)
  const cases = chosen(suite.cases, only)
  const scale = quick ? quickScale : (suite.scale ?? fullScale)
  const bench = await startBench({ scale, dataFolder: data ?? null, profileDir: profile ?? null })
  try {
    for (const each of cases) await each.run(bench)
  } finally {
    await bench.closeWorlds()
    await suite.close?.()
  }
  console.log(`\n${terminalTable(bench.lines)}\n`)
  if (quick || only !== undefined || profile !== undefined) return
  const results = fileURLToPath(new URL(suite.results, import.meta.url))
  await writeFile(results, markdownReport(suite.name, bench.lines, suite.notes(scale)))
  console.log(`Written to ${results}`)
}

async function onServices(profileDir: string | null): Promise<Suite> {
  const servers = await openServers(process.env)
  const { cases, close } = servicesSuite(servers, profileDir)
  return {
    name: 'npm run bench -- --services',
    cases,
    scale: servicesScale,
    results: 'results-services.md',
    notes: scale => [...service.notes(scale), ...servers.notes],
    async close() {
      await close()
      await servers.stop()
    },
  }
}

function chosenSuite(names: readonly string[]): Suite {
  const [name, ...others] = names
  if (name === undefined) return service
  if (name === 'audit' && others.length === 0) return tools
  throw new Error(`expected audit or nothing before the options, found ${names.join(' ')}`)
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
