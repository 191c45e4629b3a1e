import { koaConstant } from '../baselines/koa.ts'
import type { Bench, Case } from '../bench.ts'
import { whole } from '../measuring/comparison.ts'
import { httpSide } from '../measuring/http-load.ts'
import { gets } from '../requests.ts'
import { chooseQueries, type Queries } from '../world/queries.ts'
import type { World } from '../world/world.ts'

const pageSize = 10

type Searched = { world: World; queries: Queries; users: string }
type Paths = (searched: Searched) => Promise<string[]>

export const search: Case = {
  name: 'search',
  async run(bench) {
    const { manyHits, deepPages } = bench.scale
    const small = await searched(bench, 'small')
    const large = await searched(bench, 'large')
    const both = { bench, small, large }
    await searchCase(both, 'about 10 hits', 0.35, pathsOf('few'), 0.9)
    await searchCase(both, 'one common letter', 0.25, pathsOf('commonLetters'))
    await searchCase(both, 'one rare letter', 0.25, pathsOf('rareLetters'))
    await searchCase(both, `${whole(manyHits)} hits`, 0.25, pathsOf('many'))
    await searchCase(both, 'no match', 0.25, pathsOf('none'))
    await searchCase(both, `page ${whole(deepPages)} by cursor`, 0.25, deepPaths(deepPages))
  },
}

async function searched(bench: Bench, size: 'small' | 'large'): Promise<Searched> {
  const world = await bench.world(size)
  const usernames = world.crowd.users.map(user => user.username)
  return {
    world,
    queries: chooseQueries(usernames, bench.scale.manyHits),
    users: `${whole(usernames.length)} users`,
  }
}

/** `growth`: what is wanted of the large world beside the small one. */
async function searchCase(
  { bench, small, large }: { bench: Bench; small: Searched; large: Searched },
  what: string,
  wanted: number,
  paths: Paths,
  growth: number | null = null,
): Promise<void> {
  const requests = { small: gets(await paths(small)), large: gets(await paths(large)) }
  const inSmall = httpSide(small.users, small.world.roster.url, requests.small)
  const inLarge = httpSide(large.users, large.world.roster.url, requests.large)
  const koa = await koaConstant(large.world.roster.url, requests.large)
  const title = (users: string) => `search, ${what}, ${users}`
  try {
    await bench.compare([
      { title: title(small.users), of: inSmall, to: koa, wanted },
      { title: title(large.users), of: inLarge, to: koa, wanted },
      { title: title(large.users), of: inLarge, to: inSmall, wanted: growth },
    ])
  } finally {
    await koa.stop()
  }
}

function pathOf(query: string): string {
  return `/api/users/?query=${encodeURIComponent(query)}&limit=${pageSize}`
}

function pathsOf(kind: keyof Queries): Paths {
  return async ({ queries }) => queries[kind].map(pathOf)
}

/** The pages from so many on, of everybody and of what many names have. */
function deepPaths(pages: number): Paths {
  return async ({ world, queries }) => {
    const deepest: string[] = []
    for (const query of ['', ...queries.commonLetters]) {
      let path: string | null = pathOf(query)
      for (let page = 1; path !== null && page < pages + 20; page++) {
        if (page >= pages) deepest.push(path)
        path = await nextPage(world.roster.url, path)
      }
    }
    if (deepest.length === 0) throw new Error(`expected searches with ${pages} pages, found none`)
    return deepest
  }
}

/** The path in the answer's link to the next page, or null after the last. */
async function nextPage(url: string, path: string): Promise<string | null> {
  const answer = await fetch(url + path)
  await answer.arrayBuffer()
  if (!answer.ok) throw new Error(`expected a page at ${path}, found status ${answer.status}`)
  const [, next] = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '') ?? []
  return next ?? null
}
