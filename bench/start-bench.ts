import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Scale, Size } from './bench.ts'
import { compare, type MeasuredLine } from './measuring/comparison.ts'
import { terminalTable } from './measuring/report.ts'
import { type Crowd, type CrowdSize, seededCrowd } from './world/crowd.ts'
import { openWorld, type World } from './world/world.ts'

const settleSeconds = 0.4

export type BenchOptions = {
  scale: Scale
  /** Keeps the seeded logs there, and uses those that are there; null: they are removed at the end. */
  dataFolder: string | null
  /** Where each Roster leaves a CPU profile; null: none is taken. */
  profileDir: string | null
}

/** A bench that prints its lines as they are measured. Its files are removed when the process ends. */
export async function startBench(options: BenchOptions): Promise<Bench & { lines: MeasuredLine[] }> {
  const { scale, profileDir } = options
  warnIfBusy()
  const folder = await mkdtemp(join(tmpdir(), 'roster-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const crowds = new Map<Size, Promise<Crowd>>()
  const worlds = new Map<Size, Promise<World>>()
  const lines: MeasuredLine[] = []

  function crowd(size: Size): Promise<Crowd> {
    return remembered(crowds, size, () => {
      const wanted = crowdSize(scale, size)
      const seed = () => seededCrowd(options.dataFolder ?? folder, wanted)
      return timed(`${wanted.users} users seeded`, seed)
    })
  }

  function world(size: Size): Promise<World> {
    return remembered(worlds, size, async () => {
      const seeded = await crowd(size)
      return timed(`${seeded.users.length} users shown by Roster`, () => openWorld(seeded, profileDir))
    })
  }

  async function closeWorlds(): Promise<void> {
    const open = await Promise.allSettled(worlds.values())
    worlds.clear()
    await Promise.all(open.map(made => (made.status === 'fulfilled' ? made.value.roster.stop() : undefined)))
  }

  function add(...measured: MeasuredLine[]): void {
    lines.push(...measured)
    console.log(terminalTable(measured).split('\n').slice(1).join('\n'))
  }

  return {
    scale,
    folder,
    lines,
    crowd,
    world,
    closeWorlds,
    add,
    async compare(ratios, rounds = {}) {
      const usual = {
        count: scale.rounds,
        seconds: scale.roundSeconds,
        warmUpSeconds: scale.warmUpSeconds,
        settleSeconds,
      }
      add(...(await compare(ratios, { ...usual, ...rounds })))
    },
  }
}

function crowdSize(scale: Scale, size: Size): CrowdSize {
  if (size === 'long') return scale.long
  const [edited, editsEach] = size === 'small' ? [scale.edited, scale.editsEach] : [0, 0]
  return { users: scale[size], edited, editsEach, sessions: 0 }
}

function warnIfBusy(): void {
  const [load = 0] = loadavg()
  if (load > 0.5)
    console.log(`(this machine is busy already, load average ${load.toFixed(1)}: figures will be off)`)
}

function remembered<T>(known: Map<Size, Promise<T>>, size: Size, make: () => Promise<T>): Promise<T> {
  const made = known.get(size) ?? make()
  known.set(size, made)
  return made
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  console.log(`(${what} in ${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return result
}
