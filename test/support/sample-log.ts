import { join } from 'node:path'
import { type NewEvent, noStream } from '../../src/event-store/event-store.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import type { WholeEventStore } from '../../src/event-store/log-transfer.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { type SeededUser, seedUsers } from '../../src/tools/seed.ts'
import { anEvent } from './log-events.ts'
import { withTemporaryFolder } from './temporary-folder.ts'

/** Runs `use` with the log in a data directory. */
export async function withLogIn<T>(dataDir: string, use: (store: WholeEventStore) => Promise<T>): Promise<T> {
  const store = await openSqliteEventStore({ file: join(dataDir, 'events.db') })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** Runs `use` with a log of its own, on disk, that is gone afterwards. */
export function withOwnLog<T>(use: (store: WholeEventStore) => Promise<T>): Promise<T> {
  return withTemporaryFolder(folder => withLogIn(folder, use))
}

/** Registers made-up users; the next call on the same log begins at the index that `startAt` says. */
export async function register(store: WholeEventStore, users: number, startAt = 0): Promise<SeededUser[]> {
  const { namesKey } = await openLog(store)
  const seeded: SeededUser[] = []
  await seedUsers(store, {
    users,
    startAt,
    namesKey,
    passwordHash: '$argon2id$a-hash',
    inFlight: 1,
    onUser: user => seeded.push(user),
  })
  return seeded
}

const ofUser = (userId: number, type: string, data: NewEvent['data'] = {}): NewEvent => {
  const event = anEvent({ userId, ...data }, { type })
  return { ...event, metadata: { ...event.metadata, userId, actor: userId } }
}

/** A session with so many refreshes; each event names the user. */
export async function startSession(
  store: WholeEventStore,
  { userId, username }: SeededUser,
  refreshes: number,
): Promise<string> {
  const stream = `session-${crypto.randomUUID()}`
  const state = (current: number) => ({
    username,
    startedAt: '2026-01-01T12:00:00.000Z',
    accountRevision: 0,
    current,
    currentIssuedAt: '2026-01-01T12:00:00.000Z',
    currentExpiresAt: '2026-01-15T12:00:00.000Z',
    presented: current === 0 ? null : current - 1,
    replaced: [],
  })
  const events = [ofUser(userId, 'SessionStarted', state(0))]
  for (let current = 1; current <= refreshes; current++) {
    events.push(ofUser(userId, 'SessionRefreshed', state(current)))
  }
  await store.append(stream, events, noStream)
  return stream
}

/** The last event of an account, as an erasure leaves it; nothing is truncated yet. */
export async function erase(store: WholeEventStore, { userId }: SeededUser): Promise<void> {
  const stream = `user-${userId}`
  const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 })
  const event = anEvent({ reservedUntil: '2026-02-01T00:00:00.000Z' }, { type: 'UserErased' })
  await store.append(stream, [event], last?.revision ?? noStream)
}
