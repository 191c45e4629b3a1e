import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type RosterProcess, startRosterProcess } from './roster-process.ts'

/** All roles in one process, or the API apart from those that follow the log; on one DATA_DIR either way. */
export const layouts = {
  together: { all: 'api,projector,mailer' },
  apart: { api: 'api', workers: 'projector,mailer' },
} as const
export type Layout = keyof typeof layouts

export type Service = {
  layout: Layout
  /** Of the process with role `api` that was started last. */
  url(): string
  kill(names: readonly string[]): Promise<void>
  /** Starts what is dead, in `falseStarts` cases out of a hundred only after being killed once more on the way. */
  revive(falseStarts: number): Promise<void>
  /** Stops all of it. Returns what ended other than with 0. */
  stop(): Promise<string[]>
}

const variables = {
  LOG_LEVEL: 'warn',
  RATE_LIMITS: 'off',
  // Cheap hashes: faults are looked for, not passwords.
  ARGON2_MEMORY_KIB: '1024',
  ARGON2_TIME_COST: '1',
  // Outlives the run, so that any 401 means that something was lost.
  ACCESS_TOKEN_TTL_SECONDS: '86400',
  // Shorter than a restart: answers lost in a kill are met after the grace too.
  REFRESH_GRACE_SECONDS: '1',
}

/** Starts Roster on a folder that earlier processes may have left behind in any state. */
export async function startService(folder: string, layout: Layout): Promise<Service> {
  const roles: Readonly<Record<string, string>> = layouts[layout]
  const processes = new Map<string, RosterProcess>()

  async function start(name: string): Promise<RosterProcess> {
    const started = await startRosterProcess(
      { ...variables, DATA_DIR: join(folder, 'data'), ROLES: roles[name] ?? '' },
      join(folder, `${name}.log`),
    )
    processes.set(name, started)
    return started
  }

  async function startAll(names: readonly string[]): Promise<void> {
    const started = await Promise.all(names.map(start))
    await Promise.all(started.map(process => process.healthy()))
  }

  await startAll(Object.keys(roles))
  return {
    layout,

    url() {
      const api = processes.get('all') ?? processes.get('api')
      if (!api) throw new Error(`expected a process with role api, found ${[...processes.keys()]}`)
      return api.url
    },

    async kill(names) {
      await Promise.all(names.map(name => processes.get(name)?.kill()))
    },

    async revive(falseStarts) {
      const dead = [...processes].filter(([, process]) => !process.isAlive()).map(([name]) => name)
      if (randomInt(100) < falseStarts) {
        const started = await Promise.all(dead.map(start))
        await pause(randomInt(startsWithinMs))
        await Promise.all(started.map(process => process.kill()))
      }
      await startAll(dead)
    },

    async stop() {
      const names = [...processes.keys()]
      const codes = await Promise.all([...processes.values()].map(process => process.stop()))
      return names.flatMap((name, n) => (codes[n] === 0 ? [] : [`${name} ended with ${codes[n]}`]))
    },
  }
}

const startsWithinMs = 1000
