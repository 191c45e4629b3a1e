import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Scale } from './bench.ts'
import { compare, type MeasuredLine } from './measuring/comparison.ts'
import { terminalTable } from './measuring/report.ts'
import { seededCrowd } from './world/crowd.ts'
import { openWorld, type World } from './world/world.ts'

const settleSeconds = 0.4

export type BenchOptions = {
  scale: Scale
  /** Keeps the seeded logs there, and uses those that are there; null: they are removed at the end. */
  dataFolder: string | null
  /** Where each Roster leaves a CPU profile; null: none is taken. */
  profileDir: string | null
}

/** A bench that prints its lines as they are measured. `close` stops and removes everything. */
export async function startBench(
  options: BenchOptions,
): Promise<Bench & { lines: MeasuredLine[]; close(): Promise<void> }> {
  const { scale, profileDir } = options
  const folder = await mkdtemp(join(tmpdir(), 'roster-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const worlds = new Map<'small' | 'large', Promise<World>>()
  const lines: MeasuredLine[] = []

  async function make(size: 'small' | 'large'): Promise<World> {
    const users = scale[size]
    const edited = size === 'small' ? scale.edited : 0
    const crowd = await timed(`${users} users seeded`, () =>
      seededCrowd(options.dataFolder ?? folder, {
        users,
        edited,
        editsEach: edited === 0 ? 0 : scale.editsEach,
      }),
    )
    return timed(`${users} users shown by Roster`, () => openWorld(crowd, profileDir))
  }

  function world(size: 'small' | 'large'): Promise<World> {
    const known = worlds.get(size) ?? make(size)
    worlds.set(size, known)
    return known
  }

  function add(...measured: MeasuredLine[]): void {
    lines.push(...measured)
    console.log(terminalTable(measured).split('\n').slice(1).join('\n'))
  }

  return {
    scale,
    folder,
    lines,
    world,
    add,
    async compare(ratios, { count = scale.rounds, seconds = scale.roundSeconds } = {}) {
      add(...(await compare(ratios, { count, seconds, settleSeconds })))
    },
    async closeWorld(size) {
      const { crowd, roster } = await world(size)
      worlds.delete(size)
      await roster.stop()
      return crowd
    },
    async close() {
      const open = await Promise.allSettled(worlds.values())
      await Promise.all(
        open.map(made => (made.status === 'fulfilled' ? made.value.roster.stop() : undefined)),
      )
    },
  }
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  console.log(`(${what} in ${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return result
}
