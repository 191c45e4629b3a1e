import { bareAppends } from '../baselines/bare-appends.ts'
import { koaConstant } from '../baselines/koa.ts'
import type { Case } from '../bench.ts'
import { type Side, whole } from '../measuring/comparison.ts'
import { connections, measureHttp, type RequestSource } from '../measuring/http-load.ts'
import { inTurn, shareOf, shuffled } from '../measuring/random.ts'
import type { BenchSession } from '../world/sessions.ts'
import { profileEdited } from './sample-events.ts'

export const editProfile: Case = {
  name: 'PUT profile',
  async run(bench) {
    const { crowd, roster, startSessions } = await bench.world('small')
    const sessions = shuffled(await startSessions(crowd.users.slice(0, crowd.edited)))
    const source = (connection: number) => edits(shareOf(sessions, connection, connections))
    const put: Side = { name: 'Roster', measure: seconds => measureHttp(roster.url, source, seconds) }
    const bare = bareAppends(bench.folder, profileEdited)
    const koa = await koaConstant(roster.url, source)
    const title = `PUT profile, ${whole(crowd.edited)} users with ${crowd.editsEach} edits each`
    try {
      await bench.compare([
        { title, of: put, to: bare, wanted: 0.7 },
        { title, of: put, to: koa, wanted: null },
      ])
    } finally {
      bare.close()
      await koa.stop()
    }
  },
}

let edited = 0

/** An edit of one after the other that changes something each time; each must be visible when it is answered. */
function edits(sessions: readonly BenchSession[]): RequestSource {
  const nextSession = inTurn(sessions)
  return {
    next() {
      const { username, access } = nextSession()
      return {
        method: 'PUT',
        path: `/api/users/${encodeURIComponent(username)}/`,
        headers: { Authorization: `Bearer ${access}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ bio: `I changed my mind for the ${++edited}th time.`, location: 'Utrecht' }),
      }
    },
    answered({ headers }) {
      const pending = Object.entries(headers).find(([name]) => name.toLowerCase() === 'roster-visible')
      if (pending) throw new Error(`expected every edit to be visible, found ${pending.join(': ')}`)
    },
  }
}
