import { isRegistered } from '../account/account.ts'
import type { OwnProfile } from '../account/accounts.ts'
import { accountStream } from '../account/aggregates.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { accountAt } from './account-at.ts'
import { createAccountChanges } from './account-changes.ts'
import type { Change } from './shown-account.ts'

/** What happened to an account, as its owner may know it: of other users not which one it was. */
export type HistoryEntry = {
  revision: number
  time: string
  type: string
  actor: number | 'operator' | 'system' | 'another user'
  changes: Change[]
}

/** The past of accounts, folded from the log. `deadline` is in `performance.now()` milliseconds. */
export type AccountHistory = {
  /** The profile as it was at a time (ISO 8601), null before the registration. Throws StoreUnavailable. */
  profileAt(userId: number, time: string, deadline: number): Promise<OwnProfile | null>
  /** What happened, the newest first, before a revision if that is given; `next` is where to go on. */
  page(
    userId: number,
    page: { before: number | null; limit: number },
    deadline: number,
  ): Promise<{ entries: HistoryEntry[]; next: number | null }>
}

export function createAccountHistory(store: EventStore): AccountHistory {
  const changes = createAccountChanges(store)

  return {
    async profileAt(userId, time, deadline) {
      const { account } = await accountAt(store, accountStream(userId), { time }, deadline)
      if (!isRegistered(account)) return null
      const { username, email, profile } = account
      return { id: userId, username, email, ...profile }
    },

    async page(userId, { before, limit }, deadline) {
      if (before === 0) return { entries: [], next: null }
      const stream = accountStream(userId)
      const from = before === null ? {} : { from: BigInt(before) - 1n }
      const reading = { direction: 'backwards', limit: limit + 1, deadline, ...from } as const
      const revisions = (await store.readStream(stream, reading)).map(({ revision }) => Number(revision))
      const shown = revisions.slice(0, limit)
      if (shown.length === 0) return { entries: [], next: null }
      const found = await changes.at(stream, shown, deadline)
      const entries = found.reverse().map(({ event, changes }) => ({
        revision: Number(event.revision),
        time: event.metadata.time,
        type: event.type,
        actor: actorFor(userId, event.metadata.actor),
        changes,
      }))
      return { entries, next: revisions.length > limit ? (shown.at(-1) ?? null) : null }
    },
  }
}

/** Who has an address, or wanted it, is told nobody. */
function actorFor(userId: number, actor: number | 'operator' | 'system'): HistoryEntry['actor'] {
  return typeof actor === 'number' && actor !== userId ? 'another user' : actor
}
