import { LRUCache } from 'lru-cache'
import type { EventStore, RecordedEvent } from '../event-store/event-store.ts'
import { type AccountAt, accountEvents, afterEvent, beforeAnything } from './account-at.ts'
import { type Change, changesBetween } from './shown-account.ts'

/** An event of an account, with the account before it, and the fields that it changed. */
export type ChangingEvent = { event: RecordedEvent; before: AccountAt; changes: Change[] }

export type AccountChanges = {
  /**
   * Those of the events at `revisions` of a stream that are in the log. Of a stream whose beginning was truncated,
   * nothing is told. Throws StoreUnavailable.
   */
  at(stream: string, revisions: readonly number[], deadline?: number): Promise<ChangingEvent[]>
}

/** So that going on through a long stream, in either direction, does not fold it from its beginning each time. */
const foldsKept = 1000
const revisionsBetweenFolds = 200

/** Finds out from the log what events changed. */
export function createAccountChanges(store: EventStore): AccountChanges {
  const folds = new LRUCache<string, AccountAt>({ max: foldsKept })
  const foldName = (stream: string, revision: number) => `${stream}@${revision}`

  /** The nearest fold that is known before a revision. */
  function foldBefore(stream: string, revision: number): AccountAt {
    const last = Math.floor((revision - 1) / revisionsBetweenFolds) * revisionsBetweenFolds
    for (let at = last; at > 0; at -= revisionsBetweenFolds) {
      const known = folds.get(foldName(stream, at))
      if (known) return known
    }
    return beforeAnything
  }

  return {
    async at(stream, revisions, deadline) {
      const wanted = new Set(revisions)
      const last = Math.max(...revisions)
      let before = foldBefore(stream, Math.min(...revisions))
      const found: ChangingEvent[] = []
      for await (const event of accountEvents(store, stream, before.revision + 1, deadline)) {
        const revision = Number(event.revision)
        // What went before is gone: only the erasure of a user does that, which needs nothing before it.
        const isBeginningGone = revision !== before.revision + 1 && event.type !== 'UserErased'
        if (revision > last || isBeginningGone) break
        const after = afterEvent(before, event)
        if (wanted.has(revision)) found.push({ event, before, changes: told(before, after) })
        if (revision % revisionsBetweenFolds === 0) folds.set(foldName(stream, revision), after)
        before = after
      }
      return found
    },
  }
}

/** What somebody was is not told again when they are erased, nor when an account began what is told anyway, or nothing. */
function told(before: AccountAt, after: AccountAt): Change[] {
  if (after.account.status === 'erased') return []
  return changesBetween(before, after).filter(
    ({ field, from, to }) => field !== 'registered' && !(from === null && (to === '' || to === false)),
  )
}
