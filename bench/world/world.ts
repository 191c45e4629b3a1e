import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createTokens } from '../../src/account/tokens.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import type { SeededUser } from '../../src/tools/seed.ts'
import { pause } from '../measuring/comparison.ts'
import type { Crowd } from './crowd.ts'
import { bioAfter } from './edits.ts'
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
    async startSessions(users) {
      const store = await openSqliteEventStore({ file: join(crowd.dataDir, 'events.db') })
      try {
        return await startSessions(store, createTokens({ secret: Buffer.from(secret) }), users)
      } finally {
        await store.close()
      }
    },
  }
}

async function untilVisible(roster: RosterProcess, crowd: Crowd): Promise<void> {
  const deadline = performance.now() + catchesUpWithinSeconds * 1000
  const newest = crowd.users.slice(-lookedAt).map(user => ({ user, bio: null }))
  const edited = crowd.users.slice(0, crowd.edited).slice(-lookedAt)
  const expected = [...newest, ...edited.map(user => ({ user, bio: bioAfter(crowd.editsEach) }))]
  for (const { user, bio } of expected) {
    while (!(await shows(roster, user, bio))) {
      if (performance.now() > deadline) {
        throw new Error(`expected user ${user.userId} to be shown within ${catchesUpWithinSeconds} s`)
      }
      await pause(0.2)
    }
  }
}

async function shows(roster: RosterProcess, user: SeededUser, bio: string | null): Promise<boolean> {
  const answer = await fetch(`${roster.url}/api/users/${user.userId}/`)
  const text = await answer.text()
  return answer.ok && (bio === null || text.includes(JSON.stringify(bio)))
}
