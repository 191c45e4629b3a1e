import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { createHandler } from '../../src/account/handle.ts'
import { createTokens } from '../../src/account/tokens.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import type { SeededUser } from '../../src/tools/seed.ts'
import { pause } from '../measuring/comparison.ts'
import type { Crowd } from './crowd.ts'
import { type RosterProcess, startRoster } from './roster-process.ts'
import { type BenchSession, startSessions } from './sessions.ts'

/** A seeded log with a Roster that has caught up with it. */
export type World = {
  crowd: Crowd
  roster: RosterProcess
  /** Begins sessions in the log that the running Roster knows. */
  startSessions(users: readonly SeededUser[]): Promise<BenchSession[]>
}

/** Enough of the newest users that each partition has some. */
const lookedAt = 100
const catchesUpWithinSeconds = 900

/** Starts Roster on a crowd, and waits until it shows all of it. */
export async function openWorld(crowd: Crowd, profileDir: string | null): Promise<World> {
  const secret = randomBytes(48).toString('base64url')
  const roster = await startRoster({ dataDir: crowd.dataDir, env: { JWT_SECRET: secret }, profileDir })
  try {
    await untilVisible(roster, crowd)
  } catch (error) {
    await roster.stop()
    throw error
  }
  return {
    crowd,
    roster,
    startSessions: users =>
      withLog(crowd, store => startSessions(store, createTokens({ secret: Buffer.from(secret) }), users)),
  }
}

/** Waits until Roster shows the newest and the newest edited users as the log has them. */
async function untilVisible(roster: RosterProcess, crowd: Crowd): Promise<void> {
  const deadline = performance.now() + catchesUpWithinSeconds * 1000
  const newest = crowd.users.slice(-lookedAt)
  const edited = crowd.users.slice(0, crowd.edited).slice(-lookedAt)
  for (const [userId, bio] of await biosInLog(crowd, [...newest, ...edited])) {
    while ((await shownBio(roster, userId)) !== bio) {
      if (performance.now() > deadline) {
        throw new Error(
          `expected user ${userId} to be shown as in the log within ${catchesUpWithinSeconds} s`,
        )
      }
      await pause(0.2)
    }
  }
}

async function biosInLog(crowd: Crowd, users: readonly SeededUser[]): Promise<[number, string][]> {
  return withLog(crowd, async store => {
    const handler = createHandler({ store, now: Date.now })
    const bios: [number, string][] = []
    for (const { userId } of users) {
      const { state } = await handler.load(accounts, accountStream(userId), Number.POSITIVE_INFINITY)
      if (state.status !== 'active')
        throw new Error(`expected an account of user ${userId}, found ${state.status}`)
      bios.push([userId, state.profile.bio])
    }
    return bios
  })
}

async function shownBio(roster: RosterProcess, userId: number): Promise<string | null> {
  const answer = await fetch(`${roster.url}/api/users/${userId}/`)
  const body: unknown = await answer.json()
  return answer.ok ? z.object({ bio: z.string() }).parse(body).bio : null
}

async function withLog<T>(crowd: Crowd, use: (store: EventStore) => Promise<T>): Promise<T> {
  const store = await openSqliteEventStore({ file: join(crowd.dataDir, 'events.db') })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
