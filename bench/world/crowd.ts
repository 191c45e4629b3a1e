import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import argon2 from 'argon2'
import { readConfig } from '../../src/config.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { type SeededUser, seedUsers } from '../../src/tools/seed.ts'
import { editProfiles } from './edits.ts'

export const password = 'correct horse battery'

/** The users of a seeded log, in the order of their registration, and how many of the first were edited. */
export type Crowd = { dataDir: string; users: readonly SeededUser[]; edited: number; editsEach: number }

export type CrowdSize = { users: number; edited: number; editsEach: number }

/**
 * A DATA_DIR whose log has so many users, the first of them edited so many times. One that is there already from an
 * earlier run is used again.
 */
export async function seededCrowd(folder: string, size: CrowdSize): Promise<Crowd> {
  const dataDir = join(folder, `${size.users}-users-${size.edited}-edited-${size.editsEach}-times`)
  const list = join(dataDir, 'seeded.json')
  if (existsSync(list)) return { ...size, dataDir, users: JSON.parse(await readFile(list, 'utf8')) }
  await mkdir(dataDir, { recursive: true })
  const store = await openSqliteEventStore({ file: join(dataDir, 'events.db') })
  try {
    const users = await seed(store, size.users)
    await editProfiles(store, users.slice(0, size.edited), size.editsEach)
    await writeFile(list, JSON.stringify(users))
    return { ...size, dataDir, users }
  } finally {
    await store.close()
  }
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
