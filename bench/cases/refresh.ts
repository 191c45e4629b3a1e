import { z } from 'zod'
import { bareAppends } from '../baselines/bare-appends.ts'
import { koaConstant } from '../baselines/koa.ts'
import type { Case } from '../bench.ts'
import { type Side, whole } from '../measuring/comparison.ts'
import { connections, measureHttp, type RequestSource } from '../measuring/http-load.ts'
import { shareOf, shuffled } from '../measuring/random.ts'
import type { BenchSession } from '../world/sessions.ts'
import { sessionRefreshed } from './sample-events.ts'

const tokenPair = z.object({ access: z.string(), refresh: z.string() })

export const refresh: Case = {
  name: 'refresh',
  async run(bench) {
    const { crowd, roster, startSessions } = await bench.world('small')
    // Not those with many edits: a refresh also looks at the account.
    const users = crowd.users.slice(crowd.edited, 2 * crowd.edited)
    const sessions = shuffled(await startSessions(users))
    const source = (connection: number) => refreshes(shareOf(sessions, connection, connections))
    const side: Side = { name: 'Roster', measure: seconds => measureHttp(roster.url, source, seconds) }
    const bare = bareAppends(bench.folder, sessionRefreshed)
    const koa = await koaConstant(roster.url, source)
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

/** A refresh of one session after the other, each with the token that its last refresh gave. */
function refreshes(sessions: BenchSession[]): RequestSource {
  let at = -1
  const current = (): BenchSession => {
    const session = sessions[at]
    if (!session) throw new RangeError(`expected a session at ${at} of ${sessions.length}, found none`)
    return session
  }
  return {
    next() {
      at = (at + 1) % sessions.length
      return {
        method: 'POST',
        path: '/api/token/refresh/',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refresh: current().refresh }),
      }
    },
    answered({ body }) {
      current().refresh = tokenPair.parse(JSON.parse(body)).refresh
    },
  }
}
