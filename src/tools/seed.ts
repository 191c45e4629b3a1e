import type { CommandContext } from '../account/accounts.ts'
import { createClaims } from '../account/claims.ts'
import { DomainError } from '../account/domain-error.ts'
import { createHandler } from '../account/handle.ts'
import { claimAndRegister } from '../account/register-user.ts'
import { createUserIds } from '../account/user-ids.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { madeUpUser } from './made-up-users.ts'

export type SeededUser = { userId: number; username: string; email: string }

export type Seeding = {
  users: number
  namesKey: Buffer
  /** Of the password that all of them log in with, or one made for each. */
  passwordHash: string | (() => Promise<string>)
  /** Which crowd: another seed has its people in another order. */
  seed?: number
  /** The first of the crowd to take. Those whose names are taken already are passed over. */
  startAt?: number
  /** How many are registered at once. */
  inFlight?: number
  /** The clock, in milliseconds since 1970. */
  now?: () => number
  signal?: AbortSignal
  onUser?(user: SeededUser): void
}

const patienceMs = 60_000
const idsPerBlock = 1000

/**
 * Registers made-up users by appending to the log, with all the claims of a registration, so that they can log in and
 * Roster may be running meanwhile. Resolves, when all are durable or `signal` aborts, to the index in the crowd at
 * which to go on. Throws as appends do.
 */
export async function seedUsers(store: EventStore, seeding: Seeding): Promise<number> {
  const { users, namesKey, passwordHash, seed = 1, startAt = 0, inFlight = 1024, now = Date.now } = seeding
  const handler = createHandler({ store, now, cachedStreams: 1 })
  const side = {
    handler,
    now,
    claims: createClaims({ store, handler, namesKey, now }),
    nextUserId: createUserIds({ store, handler, blockSize: Math.min(users, idsPerBlock) }),
  }
  const hash = typeof passwordHash === 'string' ? () => passwordHash : passwordHash
  let index = startAt
  let wanted = users

  async function register(user: ReturnType<typeof madeUpUser>, context: CommandContext): Promise<boolean> {
    try {
      const { account } = await claimAndRegister(side, { ...user, passwordHash: await hash() }, context)
      seeding.onUser?.({ userId: account.userId, username: account.username, email: account.email })
      return true
    } catch (error) {
      if (error instanceof DomainError) return false
      throw error
    }
  }

  async function registerSome(): Promise<void> {
    while (wanted > 0 && !seeding.signal?.aborted) {
      wanted--
      const user = madeUpUser(seed, index)
      const context = { requestId: `seed-${seed}-${index++}`, deadline: performance.now() + patienceMs }
      if (!(await register(user, context))) wanted++
    }
  }

  await Promise.all(Array.from({ length: Math.min(inFlight, users) }, registerSome))
  return index
}
