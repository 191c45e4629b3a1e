import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { profiles } from '../../../projections/profiles.ts'
import { readFile as readFileOf } from '../../../src/open-stores.ts'
import { generationFollower } from '../../../src/read-store/read-store.ts'
import { openSqliteReadStore } from '../../../src/read-store/sqlite.ts'
import { madeUpUser } from '../../../src/tools/made-up-users.ts'
import { rosterProgram } from '../../support/run-roster.ts'
import type { Fault } from '../fault.ts'
import type { Ledger } from '../load/ledger.ts'

type Run = { code: number | null; stdout: string; stderr: string; seconds: number }
/** Runs `roster <args>`, and kills it after so many seconds, if it still runs. */
type Tool = (args: readonly string[], options?: { dataDir?: string; killAfter?: number }) => Promise<Run>

/** A tool, how it is run anew and then once more after a kill, and what must be so at the end. */
type Trial = {
  name: string
  args: readonly string[]
  dataDir?: string
  /** Before each of the runs to the end. */
  prepare?(): Promise<unknown>
  check?(): Promise<string | null>
}

const parkedStreams = 2000
const importedUsers = 3000
const mostKills = 4

/** Runs each tool while people use Roster: to its end, then killed on the way, then again. */
export const killTools: Fault['commit'] = async (world, { toolUsers: users, tools }) => {
  const { folder, ledger, truth } = world
  const at = (name: string) => join(folder, name)
  const tool = toolOn(truth.dataDir)
  const { code, stderr } = await tool(['seed', '--users', String(users)])
  if (code !== 0) throw new Error(`expected seed to end with 0, found ${code}: ${stderr}`)
  const trials = chosen(trialsOf(at, tool, { users, dataDir: truth.dataDir }), tools)
  // What is looked for is not how many writes there can be.
  await world.underLoad(
    async () => {
      for (const trial of trials) await undergo(trial, tool, ledger)
    },
    { clients: 2, pauseMs: 50 },
  )
  return `${trials.map(({ name }) => name).join(', ')}, on ${users} made-up users`
}

/** Those with the names given, all if none is. */
function chosen(trials: readonly Trial[], names: readonly string[]): readonly Trial[] {
  const known = trials.map(({ name }) => name)
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0)
    throw new Error(`expected --tools to be of ${known.join(', ')}, found ${unknown.join(', ')}`)
  return names.length === 0 ? trials : trials.filter(({ name }) => names.includes(name))
}

async function undergo(trial: Trial, tool: Tool, ledger: Ledger): Promise<void> {
  const { name, args, check = async () => null } = trial
  const options = trial.dataDir === undefined ? {} : { dataDir: trial.dataDir }

  async function toTheEnd(when: string): Promise<number> {
    const { code, stdout, stderr, seconds } = await tool(args, options)
    if (code !== 0)
      ledger.violations.push(`${name}, ${when}: ended with ${code}: ${stderr}${stdout.slice(-1000)}`)
    const wrong = await check()
    if (wrong !== null) ledger.violations.push(`${name}, ${when}: ${wrong}`)
    return seconds
  }

  await trial.prepare?.()
  const whole = await toTheEnd('from start to end')
  let expected = whole
  let killedAfter: number | null = null
  // What has been done before can be done faster: then the kill comes too late.
  for (let attempt = 0; killedAfter === null && attempt < mostKills; attempt++) {
    await trial.prepare?.()
    const killAfter = expected * (0.2 + randomInt(60) / 100)
    const { code, stderr, seconds } = await tool(args, { ...options, killAfter })
    if (code === null) killedAfter = killAfter
    else if (code !== 0) ledger.violations.push(`${name}, to be killed: ended with ${code}: ${stderr}`)
    expected = seconds
  }
  if (killedAfter === null)
    ledger.violations.push(`${name}: expected to kill it on the way, found it done ${mostKills} times`)
  const again = await toTheEnd('again after a kill')
  const how = killedAfter === null ? 'never killed' : `killed after ${killedAfter.toFixed(1)} s`
  console.log(`  ${name}: ${whole.toFixed(1)} s; ${how}; again ${again.toFixed(1)} s`)
}

function trialsOf(
  at: (name: string) => string,
  tool: Tool,
  { users, dataDir }: { users: number; dataDir: string },
): Trial[] {
  const [log, copy, moved] = [at('log.ndjson'), at('backup'), at('moved')]
  const list = at('users.ndjson')
  let seededUpTo = users
  const remove =
    (...names: string[]) =>
    () =>
      Promise.all(names.map(name => rm(name, { recursive: true, force: true })))

  async function verified(dataDir: string): Promise<string | null> {
    const { code, stdout } = await tool(['verify'], { dataDir })
    return code === 0 ? null : `verify finds ${stdout.slice(-1000)}`
  }

  async function chainHolds(): Promise<string | null> {
    const { code, stdout } = await tool(['verify-export', log])
    return code === 0 ? null : stdout
  }

  async function sameLog(): Promise<string | null> {
    const exported = at('moved.ndjson')
    const { code, stderr } = await tool(['export', '--out', exported], { dataDir: moved })
    if (code !== 0) return `export of what was imported ended with ${code}: ${stderr}`
    return (await readFile(exported)).equals(await readFile(log)) ? null : `${exported} is not ${log}`
  }

  /** Other people each time, none of whom the service has. */
  async function writeUsers(): Promise<void> {
    const lines = Array.from({ length: importedUsers }, () => {
      const { username, email, firstName } = madeUpUser(2, seededUpTo++)
      const theirs = { username: `x${username}`, email: email && `x${email}`, first_name: firstName }
      return JSON.stringify({ ...theirs, password_hash: '!' })
    })
    await writeFile(list, `${lines.join('\n')}\n`)
  }

  async function allAreThere(): Promise<string | null> {
    const { code, stdout, stderr } = await tool(['import-users', '--json', list])
    if (code !== 0) return `once more ended with ${code}: ${stderr}`
    const outcomes = stdout.split('\n').filter(line => line.includes('"imported"'))
    return outcomes.length === 0 ? null : `once more imported ${outcomes.length}: ${outcomes[0]}`
  }

  return [
    { name: 'replay', args: ['replay'] },
    { name: 'verify', args: ['verify'] },
    { name: 'export', args: ['export', '--out', log], prepare: remove(log), check: chainHolds },
    { name: 'verify-export', args: ['verify-export', log] },
    { name: 'import', args: ['import', log], dataDir: moved, prepare: remove(moved), check: sameLog },
    { name: 'backup', args: ['backup', copy], prepare: remove(copy), check: () => verified(copy) },
    { name: 'seed', args: ['seed', '--crowd', '3', '--users', String(Math.ceil(users / 50))] },
    { name: 'import-users', args: ['import-users', list], prepare: writeUsers, check: allAreThere },
    { name: 'verify of all that', args: ['verify'] },
    { name: 'parked', args: ['parked', '--retry'], prepare: () => park(dataDir) },
  ]
}

/** Says of the first users that their streams are parked, as a worker whose code could not apply them would. */
async function park(dataDir: string): Promise<void> {
  const readStore = await openSqliteReadStore(readFileOf(dataDir))
  try {
    const live = (await readStore.pointer(profiles.name))?.live
    const generation = (await readStore.generations(profiles.name)).find(({ number }) => number === live)
    if (!generation) throw new Error(`expected generation ${live} of ${profiles.name}, found none`)
    const follower = generationFollower(generation)
    const parked = Array.from({ length: parkedStreams }, (_, at) => ({
      ...{ follower, stream: `user-${at + 1}`, revision: 0n, key: String(at + 1) },
      ...{ error: 'was wrong', since: new Date().toISOString(), retry: false },
    }))
    const fold = () => ({ writes: [], parked })
    const documents = readStore.open(generation, profiles)
    await documents.apply({ keys: [], fold, follower, progress: [], searchLater: false })
  } finally {
    await readStore.close()
  }
}

function toolOn(usualDataDir: string): Tool {
  return async (args, { dataDir = usualDataDir, killAfter } = {}) => {
    const started = performance.now()
    const child = spawn(process.execPath, [rosterProgram, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, DATA_DIR: dataDir },
    })
    const texts = [child.stdout, child.stderr].map(async stream => {
      let text = ''
      for await (const chunk of stream) text += String(chunk)
      return text
    })
    const timer =
      killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter * 1000)
    await once(child, 'close')
    clearTimeout(timer)
    const [stdout = '', stderr = ''] = await Promise.all(texts)
    return { code: child.exitCode, stdout, stderr, seconds: (performance.now() - started) / 1000 }
  }
}
