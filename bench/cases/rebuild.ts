import { join } from 'node:path'
import type { Case } from '../bench.ts'
import { childSide, startChild } from '../measuring/child.ts'
import { whole } from '../measuring/comparison.ts'

/** Each side takes minutes for one. */
const rounds = 1

/** Comes last: it leaves nothing else running. */
export const rebuild: Case = {
  name: 'rebuild',
  async run(bench) {
    await bench.closeWorlds()
    const { dataDir, users } = await bench.crowd('large')
    const log = join(dataDir, 'events.db')
    const onFile = (module: string, file: string) =>
      startChild(new URL(module, import.meta.url), { args: [log, join(bench.folder, file)] })
    const projector = await onFile('../world/rebuild-profiles.ts', 'rebuilt.db')
    const loop = await onFile('../baselines/bare-read-model.ts', 'bare-read-model.db')
    const title = `rebuild profiles from ${whole(users.length)} events`
    try {
      const of = childSide('Roster', projector, users.length)
      const to = childSide('bare better-sqlite3 loop, same rows', loop, users.length)
      await bench.compare([{ title, of, to, wanted: 0.4 }], { count: rounds, warmUpSeconds: 0 })
    } finally {
      await projector.stop()
      await loop.stop()
    }
  },
}
