import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { strays } from '../../src/projector/pointer-moves.ts'
import type { Pointer, ReadStore } from '../../src/read-store/read-store.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { projections } from '../../src/roster.ts'
import type { Case } from '../bench.ts'
import { type MeasuredLine, median, pause, perSecond, whole } from '../measuring/comparison.ts'
import { measureHttp } from '../measuring/http-load.ts'
import { gets, profilePath } from '../requests.ts'
import { startTool } from '../world/roster-tool.ts'

const wanted = 0.7
/** The tool has begun to write by then. */
const beginsWithinSeconds = 3

/** What is left of the service's rate while a tool of its own process builds all read models anew. */
export const profileDuringReplay: Case = {
  name: 'GET profile during replay',
  async run(bench) {
    const { crowd, roster } = await bench.world('long')
    const { rounds, roundSeconds, warmUpSeconds } = bench.scale
    const requests = gets(crowd.users.map(user => profilePath(user.username)))

    async function rate(): Promise<number> {
      const figures: number[] = []
      for (let round = 0; round < rounds; round++)
        figures.push(await measureHttp(roster.url, requests, roundSeconds))
      return median(figures)
    }

    /** Warm, for a service has been up for long, most often: cold, it would be the disk that is measured. */
    async function rateAlone(): Promise<number> {
      await untilAllIsDone(crowd.dataDir)
      await readThrough(join(crowd.dataDir, 'read.db'))
      await measureHttp(roster.url, requests, warmUpSeconds)
      return rate()
    }

    const before = await rateAlone()
    const replay = startTool(['replay', '--json'], crowd.dataDir)
    await pause(beginsWithinSeconds)
    const beside = await rate()
    if (!replay.isRunning()) throw new Error('expected the replay to go on for longer, found it ended')
    await replay.ended
    // A system that takes its memory back meanwhile makes one of them slow.
    const alone = Math.max(before, await rateAlone())
    bench.add(lineOf(crowd.users.length, alone, beside))
  },
}

/** So that the system has a file in its memory as far as it fits there, as that of a service which has been up for long. */
async function readThrough(file: string): Promise<void> {
  for await (const _ of createReadStream(file, { highWaterMark: 1024 * 1024 }));
}

/**
 * The profiles are shown, but other read models may still be built for the first time, and older ones be dropped, for
 * which a service takes minutes.
 */
async function untilAllIsDone(dataDir: string): Promise<void> {
  const readStore = await openSqliteReadStore(join(dataDir, 'read.db'))
  try {
    for (const { name } of projections) {
      const pointer = await untilLive(readStore, name)
      for (const number of strays(pointer, await readStore.generations(name)))
        await readStore.dropGeneration(name, number)
    }
  } finally {
    await readStore.close()
  }
}

async function untilLive(readStore: ReadStore, projection: string): Promise<Pointer> {
  for (;;) {
    const pointer = await readStore.pointer(projection)
    if (pointer !== null && pointer.live !== null && pointer.next === null) return pointer
    await pause(0.2)
  }
}

function lineOf(users: number, alone: number, beside: number): MeasuredLine {
  const ratio = beside / alone
  return {
    title: `GET profile during roster replay, ${whole(users)} users`,
    figure: perSecond(beside),
    comparedWith: `without it: ${perSecond(alone)}`,
    ratio: ratio.toFixed(2),
    wanted: `≥ ${wanted.toFixed(2)}`,
    verdict: ratio >= wanted ? 'ok' : 'short',
  }
}
