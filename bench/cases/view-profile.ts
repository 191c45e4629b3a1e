import { koaConstant, koaSelect } from '../baselines/koa.ts'
import type { Case } from '../bench.ts'
import { whole } from '../measuring/comparison.ts'
import { httpSide } from '../measuring/http-load.ts'
import { gets, profilePath } from '../requests.ts'
import { eachAtOnce } from '../world/each-at-once.ts'
import type { World } from '../world/world.ts'

export const viewProfile: Case = {
  name: 'GET profile',
  async run(bench) {
    const world = await bench.world('small')
    const { url } = world.roster
    const bodies = await shownBodies(world)
    const requests = gets([...bodies.keys()].map(profilePath))
    const roster = httpSide('Roster', url, requests)
    const select = await koaSelect(bench.folder, bodies, requests)
    const koa = await koaConstant(url, requests)
    const title = `GET profile, ${whole(bodies.size)} users`
    try {
      await bench.compare([
        { title, of: roster, to: select, wanted: 0.7 },
        { title, of: roster, to: koa, wanted: null },
      ])
    } finally {
      await select.stop()
      await koa.stop()
    }
  },
}

/** What Roster shows of everybody, by username. */
async function shownBodies({ roster, crowd }: World): Promise<Map<string, string>> {
  const bodies = new Map<string, string>()
  await eachAtOnce(crowd.users, async ({ username }) => {
    const answer = await fetch(roster.url + profilePath(username))
    if (!answer.ok) throw new Error(`expected the profile of ${username}, found status ${answer.status}`)
    bodies.set(username, await answer.text())
  })
  return bodies
}
