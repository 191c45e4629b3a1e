import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import argon2 from 'argon2'
import { createTokens } from '../../src/account/tokens.ts'
import { readConfig } from '../../src/config.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { type SeededUser, seedUsers } from '../../src/tools/seed.ts'
import { editProfiles } from './edits.ts'
import { startSessions } from './sessions.ts'

export const password = 'correct horse battery'

/** The users of a seeded log, in the order of their registration, and how many of the first were edited. */
export type Crowd = { dataDir: string; users: readonly SeededUser[]; edited: number; editsEach: number }

/** `sessions`: how many of the users logged in once. */
export type CrowdSize = { users: number; edited: number; editsEach: number; sessions: number }

/**
 * A DATA_DIR whose log has so many users, the first of them edited so many times. One that is there already from an
 * earlier run is used again.
 */
export async function seededCrowd(folder: string, size: CrowdSize): Promise<Crowd> {
  const dataDir = join(folder, nameOf(size))
  const list = join(dataDir, 'seeded.json')
  if (existsSync(list)) return { ...size, dataDir, users: JSON.parse(await readFile(list, 'utf8')) }
  await mkdir(dataDir, { recursive: true })
  const store = await openSqliteEventStore({ file: join(dataDir, 'events.db') })
  try {
    const users = await seed(store, size.users)
    await editProfiles(store, users.slice(0, size.edited), size.editsEach)
    // Nobody presents their tokens.
    await startSessions(store, createTokens({ secret: randomBytes(48) }), users.slice(0, size.sessions))
    await writeFile(list, JSON.stringify(users))
    return { ...size, dataDir, users }
  } finally {
    await store.close()
  }
}

function nameOf({ users, edited, editsEach, sessions }: CrowdSize): string {
  const name = `${users}-users-${edited}-edited-${editsEach}-times`
  return sessions === 0 ? name : `${name}-${sessions}-sessions`
}

async function seed(store: EventStore, users: number): Promise<SeededUser[]> {
  const { namesKey } = await openLog(store)
  const seeded: SeededUser[] = []
  await seedUsers(store, {
    users,
    namesKey,
    passwordHash: await hashOf(password),
    onUser: user => seeded.push(user),
  })
  return seeded
}

/** With the parameters that Roster has by default, so that a login costs what it costs in use. */
function hashOf(text: string): Promise<string> {
  const { memoryKiB, timeCost, parallelism } = readConfig({}).argon2
  return argon2.hash(text, { type: argon2.argon2id, memoryCost: memoryKiB, timeCost, parallelism })
}
