import type { Case } from '../bench.ts'
import { whole } from '../measuring/comparison.ts'
import { measureHttp } from '../measuring/http-load.ts'
import { edits, gets, logins, profilePath, refreshes, registrations } from '../requests.ts'

const allowedMb = 300

/** Comes after the searches of the large world, and adds every other kind of load before it looks. */
export const memory: Case = {
  name: 'memory',
  async run(bench) {
    const { crowd, roster, startSessions } = await bench.world('large')
    const some = crowd.users.slice(0, bench.scale.edited)
    const loads = [
      gets(crowd.users.map(user => profilePath(user.username))),
      edits(await startSessions(some)),
      refreshes(await startSessions(some)),
      logins(crowd.users),
      registrations(),
    ]
    for (const requests of loads) await measureHttp(roster.url, requests, bench.scale.roundSeconds * 2)
    const found = await roster.residentMb()
    bench.add({
      title: `resident memory with ${whole(crowd.users.length)} users, after the load`,
      figure: `${whole(found)} MB`,
      comparedWith: '',
      ratio: '',
      wanted: `< ${allowedMb} MB`,
      verdict: found < allowedMb ? 'ok' : 'short',
    })
  },
}
