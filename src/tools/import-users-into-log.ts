import { editProfile } from '../account/account.ts'
import type { CommandContext } from '../account/accounts.ts'
import { accountStream, accounts } from '../account/aggregates.ts'
import { createClaims } from '../account/claims.ts'
import { DomainError } from '../account/domain-error.ts'
import { createHandler, type Intent } from '../account/handle.ts'
import { emailKey, usernameKey } from '../account/names.ts'
import { claimAndRegister } from '../account/register-user.ts'
import { toRecorded } from '../account/upcasters.ts'
import { createUserIds } from '../account/user-ids.ts'
import { type EventStore, noStream, type Revision } from '../event-store/event-store.ts'
import { openLog } from '../event-store/log-identity.ts'
import { accountEvents } from '../history/account-at.ts'
import { type ImportedUser, importedUser } from './imported-user.ts'
import type { UserRecord } from './user-records.ts'

export type Outcome = { line: number; username: string | null } & (
  | { result: 'imported' | 'there already'; id: number }
  | { result: 'refused'; problems: string[] }
)

export type ImportingUsers = {
  store: EventStore
  records: AsyncIterable<UserRecord>
  onOutcome(outcome: Outcome, bytes: number): Promise<void>
  signal: AbortSignal
}

const patienceMs = 60_000
const idsPerBlock = 100
/** They share transactions, so that many are registered with one sync of the disk. */
const atOnce = 64

/**
 * Registers users with the hashes they have. A name taken here, also by an earlier line, is refused; a user who was
 * imported before is left as they are. Stops at `signal` with what is begun finished. Throws as appends do.
 */
export async function importUsers({ store, records, onOutcome, signal }: ImportingUsers): Promise<void> {
  const importUser = await createImport(store)
  /** By the keys of the names, so that the earlier of two lines gets a name that both want. */
  const running = new Map<string, Promise<unknown>>()
  const failures: unknown[] = []

  for await (const record of records) {
    if (signal.aborted || failures.length > 0) break
    const { line, bytes } = record
    if ('problem' in record) {
      await onOutcome({ line, username: null, result: 'refused', problems: [record.problem] }, bytes)
      continue
    }
    const read = importedUser(record.fields)
    if ('problems' in read) {
      const { username } = record.fields
      const told = typeof username === 'string' ? username : null
      await onOutcome({ line, username: told, result: 'refused', problems: read.problems }, bytes)
      continue
    }
    const keys = keysOf(read)
    const earlier = keys.map(key => running.get(key))
    const mine = Promise.all(earlier)
      .then(() => importUser(line, read))
      .then(outcome => onOutcome(outcome, bytes))
      .catch(error => void failures.push(error))
      .finally(() => {
        for (const key of keys) if (running.get(key) === mine) running.delete(key)
      })
    for (const key of keys) running.set(key, mine)
    while (running.size >= 2 * atOnce) await Promise.race(running.values())
  }
  await Promise.all(running.values())
  if (failures.length > 0) throw failures[0]
}

function keysOf({ user: { username, email } }: ImportedUser): string[] {
  return [`username ${usernameKey(username)}`, ...(email === '' ? [] : [`email ${emailKey(email)}`])]
}

async function createImport(
  store: EventStore,
): Promise<(line: number, read: ImportedUser) => Promise<Outcome>> {
  const { namesKey } = await openLog(store)
  const now = Date.now
  const handler = createHandler({ store, now, cachedStreams: 1 })
  const claims = createClaims({ store, handler, namesKey, now })
  const nextUserId = createUserIds({ store, handler, blockSize: idsPerBlock })

  /** The id of the user who has the username, if the account began as this one. */
  async function importedBefore(user: ImportedUser['user'], context: CommandContext): Promise<number | null> {
    const holder = await claims.holder('username', user.username, context.deadline)
    if (!holder) return null
    const [first] = await store.readStream(holder.stream, { limit: 1, deadline: context.deadline })
    const event = first && toRecorded(first)
    const isSame =
      event?.type === 'UserRegistered' &&
      event.data.username === user.username &&
      event.data.passwordHash === user.passwordHash
    return isSame ? event.data.userId : null
  }

  /** The last revision of an account, null if it was decided since it began who may see it. */
  async function lastUndecided(stream: string, deadline: number): Promise<Revision | null> {
    let last = noStream
    for await (const stored of accountEvents(store, stream, 0, deadline)) {
      const event = toRecorded(stored)
      if (event.type === 'ProfileEdited' && event.data.privacy !== undefined) return null
      last = stored.revision
    }
    return last
  }

  /** Who was registered just before a stop may have logged in since: that decides nothing. */
  async function hide(userId: number, { requestId, deadline }: CommandContext): Promise<void> {
    const stream = accountStream(userId)
    const intent: Intent = { key: `import privacy of ${userId}`, actor: 'operator', requestId, deadline }
    for (let isDone = false; !isDone; ) {
      const last = await lastUndecided(stream, deadline)
      if (last === null) return
      await handler.handle(accounts, stream, intent, (account, revision) => {
        isDone = revision === last
        return isDone && account.status === 'active' ? editProfile(account, { privacy: true }) : []
      })
    }
  }

  async function register({ user, privacy }: ImportedUser, context: CommandContext) {
    const before = await importedBefore(user, context)
    // Registered, and stopped right then.
    if (before !== null && privacy) await hide(before, context)
    if (before !== null) return { result: 'there already' as const, id: before }
    const { account } = await claimAndRegister({ claims, handler, nextUserId, now }, user, context, {
      actor: 'operator',
    })
    if (privacy) await hide(account.userId, context)
    return { result: 'imported' as const, id: account.userId }
  }

  return async (line, read) => {
    const { username } = read.user
    const context = { requestId: `import-users-line-${line}`, deadline: performance.now() + patienceMs }
    try {
      return { line, username, ...(await register(read, context)) }
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      const problems = error.problems.map(({ field }) => `${field}: Another user has it.`)
      return { line, username, result: 'refused', problems }
    }
  }
}
