import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { readConfig } from '../../src/config.ts'
import { madeUpUser } from '../../src/tools/made-up-users.ts'
import { koaConstant } from '../baselines/koa.ts'
import type { Bench, Case } from '../bench.ts'
import { type Child, startChild } from '../measuring/child.ts'
import { type Side, whole } from '../measuring/comparison.ts'
import { measureHttp, type RequestSource } from '../measuring/http-load.ts'
import { anyOf } from '../measuring/random.ts'
import { password } from '../world/crowd.ts'
import type { World } from '../world/world.ts'

const json = { 'Content-Type': 'application/json' }

export const loginAndRegister: Case = {
  name: 'login, register',
  async run(bench) {
    const world = await bench.world('small')
    const hashing = await startHashing()
    const users = `${whole(world.crowd.users.length)} users`
    try {
      await beside(hashing, bench, world, { title: `login, ${users}`, source: logins(world) })
      await beside(hashing, bench, world, { title: `register, ${users}`, source: registrations() })
    } finally {
      await hashing.stop()
    }
  },
}

/** The bare hashes that bound both, on as many threads as there are cores. */
function startHashing(): Promise<Child> {
  const { memoryKiB, timeCost, parallelism } = readConfig({}).argon2
  return startChild(new URL('../baselines/argon2-hashes.ts', import.meta.url), {
    args: [String(memoryKiB), String(timeCost), String(parallelism)],
    env: { UV_THREADPOOL_SIZE: String(availableParallelism()) },
  })
}

async function beside(
  hashing: Child,
  bench: Bench,
  { roster }: World,
  { title, source }: { title: string; source: () => RequestSource },
): Promise<void> {
  const side: Side = { name: 'Roster', measure: seconds => measureHttp(roster.url, source, seconds) }
  const hashes: Side = {
    name: 'bare argon2id hashes',
    measure: async seconds => z.number().parse(await hashing.ask({ seconds })),
  }
  const koa = await koaConstant(roster.url, source)
  try {
    await bench.compare([
      { title, of: side, to: hashes, wanted: 0.95 },
      { title, of: side, to: koa, wanted: null },
    ])
  } finally {
    await koa.stop()
  }
}

function logins({ crowd }: World): () => RequestSource {
  return () => ({
    next: () => ({
      method: 'POST',
      path: '/api/token/obtain/',
      headers: json,
      body: JSON.stringify({ username: anyOf(crowd.users).username, password }),
    }),
  })
}

/** People of the crowd whom no seeding reaches, from another place on in each run. */
function registrations(): () => RequestSource {
  let index = 2_000_000 + Math.floor(Math.random() * 3_000_000)
  return () => ({
    next() {
      const { username, email } = madeUpUser(1, index++)
      const body = JSON.stringify({ username, email, password })
      return { method: 'POST', path: '/api/user/create/', headers: json, body }
    },
  })
}
