import type { Bench } from '../bench.ts'
import { childSide, startChild } from '../measuring/child.ts'
import { whole } from '../measuring/comparison.ts'
import type { Servers } from './servers.ts'
import type { SeededLog } from './world.ts'

/** A projector that builds the profiles anew, beside a bare loop that writes the same documents. */
export async function project(bench: Bench, servers: Servers, log: SeededLog): Promise<void> {
  const args = [servers.eventstoreUrl, servers.mongodbUrl, log.streamPrefix]
  const start = (module: string) => startChild(new URL(module, import.meta.url), { args })
  const projector = await start('rebuild-profiles.ts')
  const loop = await start('../baselines/bare-bulk-writes.ts')
  const events = log.users.length
  try {
    const of = childSide('Roster', projector, events)
    const to = childSide('bare bulkWrite, same documents', loop, events)
    const title = `project the profiles of ${whole(events)} users`
    await bench.compare([{ title, of, to, wanted: 0.8 }], { count: 3, warmUpSeconds: 0 })
  } finally {
    await projector.stop()
    await loop.stop()
  }
}
