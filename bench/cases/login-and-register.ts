import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { readConfig } from '../../src/config.ts'
import { koaConstant } from '../baselines/koa.ts'
import type { Bench, Case } from '../bench.ts'
import { type Child, startChild } from '../measuring/child.ts'
import { type Side, whole } from '../measuring/comparison.ts'
import { httpSide, type Requests } from '../measuring/http-load.ts'
import { logins, registrations } from '../requests.ts'

export const loginAndRegister: Case = {
  name: 'login, register',
  async run(bench) {
    const { crowd, roster } = await bench.world('small')
    const hashing = await startHashing()
    const users = `${whole(crowd.users.length)} users`
    try {
      await beside(hashing, bench, roster.url, `login, ${users}`, logins(crowd.users))
      await beside(hashing, bench, roster.url, `register, ${users}`, registrations())
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
  url: string,
  title: string,
  requests: Requests,
): Promise<void> {
  const side = httpSide('Roster', url, requests)
  const hashes: Side = {
    name: 'bare argon2id hashes',
    measure: async seconds => z.number().parse(await hashing.ask({ seconds })),
  }
  const koa = await koaConstant(url, requests)
  try {
    await bench.compare([
      { title, of: side, to: hashes, wanted: 0.95 },
      { title, of: side, to: koa, wanted: null },
    ])
  } finally {
    await koa.stop()
  }
}
