import { join } from 'node:path'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { withStore } from '../../src/open-stores.ts'
import type { Bench, Case } from '../bench.ts'
import { whole } from '../measuring/comparison.ts'
import { atLeast, below } from '../measuring/limits.ts'
import { startTool, type ToolRun } from '../world/roster-tool.ts'

const wantedPerSecond = 100_000
/** However long the log. Node and all that it loads take a third of it. */
const allowedMb = 250

export const exportAndVerifyExport: Case = {
  name: 'export and verify-export',
  async run(bench) {
    await bench.closeWorlds()
    const { dataDir } = await bench.crowd('long')
    const store = openSqliteEventStore({ file: join(dataDir, 'events.db') })
    const events = Number(await withStore(store, each => each.head()))
    const file = join(bench.folder, 'log.ndjson')
    const exported = await startTool(['export', '--out', file], dataDir).ended
    const verified = await startTool(['verify-export', file], dataDir).ended
    tell(bench, 'export', events, exported)
    tell(bench, 'verify-export', events, verified)
  },
}

function tell(bench: Bench, name: string, events: number, { seconds, peakMb }: ToolRun): void {
  const title = `${name} of ${whole(events)} events`
  bench.add(atLeast(wantedPerSecond, { title, found: events / seconds, unit: '/s' }))
  bench.add(below(allowedMb, { title: `most memory of ${name}`, found: peakMb, unit: ' MB' }))
}
