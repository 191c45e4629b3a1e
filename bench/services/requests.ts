import { bareClientAppends } from '../baselines/bare-client-appends.ts'
import { koaConstant } from '../baselines/koa.ts'
import type { Bench } from '../bench.ts'
import { profileEdited, sessionRefreshed } from '../cases/sample-events.ts'
import type { Side } from '../measuring/comparison.ts'
import { whole } from '../measuring/comparison.ts'
import { httpSide, measureHttp, type Requests } from '../measuring/http-load.ts'
import { shuffled } from '../measuring/random.ts'
import { edits, gets, logins, profilePath, refreshes, registrations } from '../requests.ts'
import { eachAtOnce } from '../world/each-at-once.ts'
import { chooseQueries } from '../world/queries.ts'
import { koaFindOne } from './koa-find-one.ts'
import type { Servers } from './servers.ts'
import type { ServicesWorld } from './world.ts'

const pageSize = 10

export async function viewProfiles(bench: Bench, servers: Servers, world: ServicesWorld): Promise<void> {
  const { roster, users } = world
  const bodies = new Map<string, string>()
  await eachAtOnce(users, async ({ username }) => {
    const answer = await fetch(roster.url + profilePath(username))
    if (!answer.ok) throw new Error(`expected the profile of ${username}, found status ${answer.status}`)
    bodies.set(username, await answer.text())
  })
  const requests = gets([...bodies.keys()].map(profilePath))
  const of = httpSide('Roster', roster.url, requests)
  const to = await koaFindOne(servers.mongodbUrl, bodies, requests)
  try {
    await bench.compare([{ title: `GET profile, ${whole(bodies.size)} users`, of, to, wanted: 0.9 }])
  } finally {
    await to.stop()
  }
}

/** Each command ends in one append or more. */
export async function commands(bench: Bench, servers: Servers, world: ServicesWorld): Promise<void> {
  const { users } = world
  const half = Math.floor(users.length / 2)
  const edit = edits(shuffled(await world.startSessions(users.slice(0, half))))
  const refresh = refreshes(shuffled(await world.startSessions(users.slice(half))))
  const bareEdits = bareClientAppends(servers.eventstoreUrl, profileEdited)
  const bareRefreshes = bareClientAppends(servers.eventstoreUrl, sessionRefreshed)
  const shown = (title: string, requests: Requests, to: Side) => {
    const of = httpSide('Roster', world.roster.url, requests)
    return bench.compare([{ title: `${title}, ${whole(users.length)} users`, of, to, wanted: null }])
  }
  try {
    await shown('PUT profile', edit, bareEdits)
    await shown('refresh', refresh, bareRefreshes)
  } finally {
    await bareEdits.close()
    await bareRefreshes.close()
  }
  await besideKoa(bench, world, 'login', logins(users))
  await besideKoa(bench, world, 'register', registrations())
}

export async function searches(bench: Bench, world: ServicesWorld): Promise<void> {
  const usernames = world.users.map(({ username }) => username)
  const queries = chooseQueries(usernames, Math.floor(usernames.length / 100))
  const kinds = { few: 'about 10 hits', commonLetters: 'one common letter', none: 'no match' } as const
  for (const kind of ['few', 'commonLetters', 'none'] as const) {
    const paths = queries[kind].map(
      query => `/api/users/?query=${encodeURIComponent(query)}&limit=${pageSize}`,
    )
    await besideKoa(bench, world, `search, ${kinds[kind]}`, gets(paths))
  }
}

/** After everything else. */
export async function memory(bench: Bench, world: ServicesWorld): Promise<void> {
  await measureHttp(world.roster.url, gets(world.users.map(user => profilePath(user.username))), 1)
  const found = await world.roster.residentMb()
  bench.add({
    title: `resident memory with ${whole(world.users.length)} users, after the load`,
    figure: `${whole(found)} MB`,
    comparedWith: '',
    ratio: '',
    wanted: '',
    verdict: '',
  })
}

async function besideKoa(
  bench: Bench,
  { roster, users }: ServicesWorld,
  title: string,
  requests: Requests,
): Promise<void> {
  const of = httpSide('Roster', roster.url, requests)
  const to = await koaConstant(roster.url, requests)
  try {
    await bench.compare([{ title: `${title}, ${whole(users.length)} users`, of, to, wanted: null }])
  } finally {
    await to.stop()
  }
}
