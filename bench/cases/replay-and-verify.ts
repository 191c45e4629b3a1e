import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { withStore } from '../../src/open-stores.ts'
import type { Case } from '../bench.ts'
import { startChild } from '../measuring/child.ts'
import { type Side, whole } from '../measuring/comparison.ts'
import { below } from '../measuring/limits.ts'
import { startTool } from '../world/roster-tool.ts'
import { measureAuditPages } from './audit-pages.ts'

const allowedMb = 400

/** All read models from the first event on, in a process that has no other load beside it. */
export const replayAndVerify: Case = {
  name: 'replay and verify',
  async run(bench) {
    await bench.closeWorlds()
    const crowd = await bench.crowd('long')
    const { dataDir } = crowd
    const log = join(dataDir, 'events.db')
    const events = Number(await withStore(openSqliteEventStore({ file: log }), store => store.head()))
    const peaks = { replay: 0, verify: 0 }

    const tool = (name: keyof typeof peaks): Side => ({
      name: `roster ${name}`,
      async measure() {
        if (name === 'replay') await removeReadModels(dataDir)
        const { seconds, peakMb } = await startTool([name, '--json'], dataDir).ended
        peaks[name] = Math.max(peaks[name], peakMb)
        return events / seconds
      },
    })
    const args = [log, join(bench.folder, 'bare-read-models.db')]
    // It has all that it writes in memory before it starts.
    const env = { NODE_OPTIONS: '--max-old-space-size=16000' }
    const loop = await startChild(new URL('../baselines/bare-read-models.ts', import.meta.url), { args, env })
    const bare: Side = {
      name: 'bare better-sqlite3 loop, same rows',
      measure: async () => events / z.number().parse(await loop.ask({})),
    }
    const [replay, verify] = [tool('replay'), tool('verify')]
    const of = `of ${whole(events)} events`
    try {
      const rounds = { count: 1, warmUpSeconds: 0 }
      await bench.compare(
        [
          { title: `replay ${of}, all read models`, of: replay, to: bare, wanted: 0.4 },
          { title: `verify ${of}`, of: verify, to: replay, wanted: 0.5 },
        ],
        rounds,
      )
    } finally {
      await loop.stop()
    }
    await measureAuditPages(bench, join(dataDir, 'read.db'), crowd)
    bench.add(below(allowedMb, { title: 'most memory of replay', found: peaks.replay, unit: ' MB' }))
    bench.add(below(allowedMb, { title: 'most memory of verify', found: peaks.verify, unit: ' MB' }))
  },
}

async function removeReadModels(dataDir: string): Promise<void> {
  for (const end of ['', '-wal', '-shm']) await rm(join(dataDir, `read.db${end}`), { force: true })
}
