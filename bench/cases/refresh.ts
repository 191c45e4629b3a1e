import { bareAppends } from '../baselines/bare-appends.ts'
import { koaConstant } from '../baselines/koa.ts'
import type { Case } from '../bench.ts'
import { whole } from '../measuring/comparison.ts'
import { httpSide } from '../measuring/http-load.ts'
import { shuffled } from '../measuring/random.ts'
import { refreshes } from '../requests.ts'
import { sessionRefreshed } from './sample-events.ts'

export const refresh: Case = {
  name: 'refresh',
  async run(bench) {
    const { crowd, roster, startSessions } = await bench.world('small')
    const users = crowd.users.slice(crowd.edited, 2 * crowd.edited)
    const requests = refreshes(shuffled(await startSessions(users)))
    const side = httpSide('Roster', roster.url, requests)
    const bare = bareAppends(bench.folder, sessionRefreshed)
    const koa = await koaConstant(roster.url, requests)
    const title = `refresh, ${whole(users.length)} sessions`
    try {
      await bench.compare([
        { title, of: side, to: bare, wanted: 0.7 },
        { title, of: side, to: koa, wanted: null },
      ])
    } finally {
      bare.close()
      await koa.stop()
    }
  },
}
