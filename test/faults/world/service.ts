import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type RosterProcess, startRosterProcess } from './roster-process.ts'

/** Processes and their roles; several with one role stand in for each other. */
export const layouts = {
  together: { all: 'api,projector,mailer' },
  apart: { api: 'api', projector: 'projector', mailer: 'mailer' },
  doubled: {
    api: 'api',
    projector: 'projector',
    projector2: 'projector',
    mailer: 'mailer',
    mailer2: 'mailer',
  },
} as const
export type Layout = keyof typeof layouts

export type Service = {
  layout: Layout
  names: readonly string[]
  /** Of the process with role `api` that was started last. */
  url(): string
  /** Those that live. */
  processes(): RosterProcess[]
  kill(names: readonly string[]): Promise<void>
  signal(names: readonly string[], signal: NodeJS.Signals): void
  /** Starts what is dead, in `falseStarts` cases out of a hundred only after being killed once more on the way. */
  revive(falseStarts: number): Promise<void>
  /** What its processes have written, each since it was started last. */
  output(): string
  /** Which processes have ended though nobody ended them, since the last time. */
  crashes(): string[]
  /** Stops all of it. Returns what ended other than with 0. */
  stop(): Promise<string[]>
}

/** How often a process with the role was killed, in all services. */
export const kills = new Map<string, number>()

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

const startsWithinMs = 1000

export type ServiceParts = {
  /** Where earlier processes may have left data in any state; gets a log file for each process. */
  folder: string
  layout: Layout
  /** Beside those that keep all faults fast. */
  variables: Record<string, string>
}

/** Starts Roster on a folder. */
export async function startService({ folder, layout, ...parts }: ServiceParts): Promise<Service> {
  const roles: Readonly<Record<string, string>> = layouts[layout]
  const names = Object.keys(roles)
  const processes = new Map<string, RosterProcess>()
  const unreported = new Map<RosterProcess, string>()

  function processOf(name: string): RosterProcess {
    const found = processes.get(name)
    if (!found) throw new Error(`expected one of ${names}, found ${name}`)
    return found
  }

  async function start(name: string): Promise<RosterProcess> {
    const started = await startRosterProcess(
      { ...variables, DATA_DIR: join(folder, 'data'), ROLES: roles[name] ?? '', ...parts.variables },
      join(folder, `${name}.log`),
    )
    processes.set(name, started)
    unreported.set(started, name)
    return started
  }

  async function startAll(dead: readonly string[]): Promise<void> {
    const started = await Promise.all(dead.map(start))
    await Promise.all(started.map(process => process.healthy()))
  }

  async function kill(victims: readonly string[]): Promise<void> {
    for (const role of victims.flatMap(name => (roles[name] ?? '').split(',')))
      kills.set(role, (kills.get(role) ?? 0) + 1)
    await Promise.all(victims.map(name => processOf(name).kill()))
  }

  await startAll(names)
  return {
    layout,
    names,

    url() {
      const api = processes.get('all') ?? processes.get('api')
      if (!api) throw new Error(`expected a process with role api, found ${names}`)
      return api.url
    },

    processes: () => [...processes.values()].filter(process => process.isAlive()),
    kill,

    signal(wanted, signal) {
      for (const name of wanted) processOf(name).signal(signal)
    },

    async revive(falseStarts) {
      const dead = names.filter(name => !processes.get(name)?.isAlive())
      if (randomInt(100) < falseStarts) {
        await Promise.all(dead.map(start))
        await pause(randomInt(startsWithinMs))
        await kill(dead)
      }
      await startAll(dead)
    },

    output: () => [...processes.values()].map(process => process.output()).join('\n'),

    crashes() {
      const crashed = [...unreported].filter(([process]) => process.hasCrashed())
      for (const [process] of crashed) unreported.delete(process)
      return crashed.map(([process, name]) => `${name} ended by itself:\n${process.output().slice(-2000)}`)
    },

    async stop() {
      const codes = await Promise.all(names.map(name => processes.get(name)?.stop()))
      return names.flatMap((name, n) => (codes[n] === 0 ? [] : [`${name} ended with ${codes[n]}`]))
    },
  }
}
