import { koaConstant, koaSelect } from '../baselines/koa.ts'
import type { Case } from '../bench.ts'
import { type Side, whole } from '../measuring/comparison.ts'
import { measureHttp, type RequestSource } from '../measuring/http-load.ts'
import { anyOf } from '../measuring/random.ts'
import { eachAtOnce } from '../world/each-at-once.ts'
import type { World } from '../world/world.ts'

export const viewProfile: Case = {
  name: 'GET profile',
  async run(bench) {
    const world = await bench.world('small')
    const bodies = await shownBodies(world)
    const usernames = [...bodies.keys()]
    const source = (): RequestSource => ({ next: () => ({ path: pathOf(anyOf(usernames)) }) })
    const roster: Side = {
      name: 'Roster',
      measure: seconds => measureHttp(world.roster.url, source, seconds),
    }
    const select = await koaSelect(bench.folder, bodies, source)
    const bare = await koaConstant(world.roster.url, source)
    const title = `GET profile, ${whole(usernames.length)} users`
    try {
      await bench.compare([
        { title, of: roster, to: select, wanted: 0.7 },
        { title, of: roster, to: bare, wanted: null },
      ])
    } finally {
      await select.stop()
      await bare.stop()
    }
  },
}

function pathOf(username: string): string {
  return `/api/users/${encodeURIComponent(username)}/`
}

/** What Roster shows of everybody, by username. */
async function shownBodies({ roster, crowd }: World): Promise<Map<string, string>> {
  const bodies = new Map<string, string>()
  await eachAtOnce(crowd.users, async ({ username }) => {
    const answer = await fetch(roster.url + pathOf(username))
    if (!answer.ok) throw new Error(`expected the profile of ${username}, found status ${answer.status}`)
    bodies.set(username, await answer.text())
  })
  return bodies
}
