import { bareAppends } from '../baselines/bare-appends.ts'
import { koaConstant } from '../baselines/koa.ts'
import type { Case } from '../bench.ts'
import { whole } from '../measuring/comparison.ts'
import { httpSide } from '../measuring/http-load.ts'
import { shuffled } from '../measuring/random.ts'
import { edits } from '../requests.ts'
import { profileEdited } from './sample-events.ts'

export const editProfile: Case = {
  name: 'PUT profile',
  async run(bench) {
    const { crowd, roster, startSessions } = await bench.world('small')
    const requests = edits(shuffled(await startSessions(crowd.users.slice(0, crowd.edited))))
    const side = httpSide('Roster', roster.url, requests)
    const bare = bareAppends(bench.folder, profileEdited)
    const koa = await koaConstant(roster.url, requests)
    const title = `PUT profile, ${whole(crowd.edited)} users with ${crowd.editsEach} edits each`
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
