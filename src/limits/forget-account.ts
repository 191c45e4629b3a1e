import { accountStream } from '../account/aggregates.ts'
import { usernameKey } from '../account/names.ts'
import { toRecorded, UnreadableEvent } from '../account/upcasters.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { idLimits, ofUser, ofUsername, usernameLimits } from './account-places.ts'
import type { KnownAddresses } from './known-addresses.ts'
import type { Limiter } from './limiter.ts'

/**
 * Forgets what was counted of a user, and where they logged in, as far as this process or the shared counts have it; to
 * be done before the first event is truncated, which has the name. What was mailed to a mailbox stays counted: else
 * whoever erases accounts and begins anew could fill it. Throws StoreUnavailable.
 */
export function createForgetAccount(parts: {
  store: Pick<EventStore, 'readStream'>
  limiter: Limiter
  known: KnownAddresses
}): (userId: number) => Promise<void> {
  const { store, limiter, known } = parts

  /** Null once it was truncated, and for an account that nobody could ever use. */
  async function registeredName(userId: number): Promise<string | null> {
    const [first] = await store.readStream(accountStream(userId), { limit: 1 })
    try {
      const event = first && toRecorded(first)
      return event?.type === 'UserRegistered' ? event.data.username : null
    } catch (error) {
      if (error instanceof UnreadableEvent) return null
      throw error
    }
  }

  return async userId => {
    const username = await registeredName(userId)
    if (username === null) return
    const key = usernameKey(username)
    const inPlaces = known.forget(key).map(place => ofUsername('logins-per-account', place))
    const places = [
      ...idLimits.map(limit => ofUser(limit, userId)),
      ...usernameLimits.map(limit => ofUsername(limit, limiter.digest(key))),
      ...inPlaces,
    ]
    await Promise.all(places.map(limiter.forget))
  }
}
