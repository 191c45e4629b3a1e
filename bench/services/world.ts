import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import argon2 from 'argon2'
import { createTokens } from '../../src/account/tokens.ts'
import { readConfig } from '../../src/config.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { openEventStore, withStore } from '../../src/open-stores.ts'
import { type SeededUser, seedUsers } from '../../src/tools/seed.ts'
import { pause } from '../measuring/comparison.ts'
import { profilePath } from '../requests.ts'
import { password } from '../world/crowd.ts'
import { type RosterProcess, startRoster } from '../world/roster-process.ts'
import { type BenchSession, startSessions } from '../world/sessions.ts'
import type { Servers } from './servers.ts'

/** Seeded users in a log on EventStoreDB. */
export type SeededLog = {
  users: readonly SeededUser[]
  /** What of the log is theirs. */
  streamPrefix: string
  /** What a Roster has to be told to use it. */
  env: Record<string, string>
  startSessions(users: readonly SeededUser[]): Promise<BenchSession[]>
}

/** With a Roster that has caught up with it in MongoDB. */
export type ServicesWorld = SeededLog & { roster: RosterProcess }

const showsAllWithinSeconds = 300

export async function seedLog({ eventstoreUrl, mongodbUrl }: Servers, users: number): Promise<SeededLog> {
  const streamPrefix = `bench-${randomUUID()}-`
  const secret = randomBytes(48).toString('base64url')
  const env = {
    EVENTSTORE_URL: eventstoreUrl,
    MONGODB_URL: mongodbUrl,
    STREAM_PREFIX: streamPrefix,
    JWT_SECRET: secret,
  }
  const config = readConfig(env)
  const seeded: SeededUser[] = []
  await withStore(openEventStore(config), async store => {
    const { namesKey } = await openLog(store)
    const { memoryKiB: memoryCost, timeCost, parallelism } = config.argon2
    const passwordHash = await argon2.hash(password, {
      type: argon2.argon2id,
      memoryCost,
      timeCost,
      parallelism,
    })
    const onUser = (user: SeededUser) => void seeded.push(user)
    await seedUsers(store, { users, namesKey, passwordHash, inFlight: 64, onUser })
  })
  return {
    users: seeded,
    streamPrefix,
    env,
    startSessions: some =>
      withStore(openEventStore(config), store =>
        startSessions(store, createTokens({ secret: Buffer.from(secret) }), some),
      ),
  }
}

/** Starts Roster on a seeded log, and waits until it shows the last users. */
export async function openServicesWorld(
  log: SeededLog,
  { folder, profileDir }: { folder: string; profileDir: string | null },
): Promise<ServicesWorld> {
  const dataDir = join(folder, 'services')
  await mkdir(dataDir, { recursive: true })
  const roster = await startRoster({ dataDir, env: log.env, profileDir })
  try {
    for (const user of log.users.slice(-20)) await untilShown(roster, user)
  } catch (error) {
    await roster.stop()
    throw error
  }
  return { ...log, roster }
}

async function untilShown(roster: RosterProcess, { username }: SeededUser): Promise<void> {
  const deadline = performance.now() + showsAllWithinSeconds * 1000
  while (!(await fetch(roster.url + profilePath(username))).ok) {
    if (performance.now() > deadline)
      throw new Error(`expected ${username} to be shown within ${showsAllWithinSeconds} s`)
    await pause(0.2)
  }
}
