import { setTimeout as pause } from 'node:timers/promises'
import { createIsErased, erasedUsers } from '../account/erasures.ts'
import { type Batch, type EventStore, LogReplaced, StoreUnavailable } from '../event-store/event-store.ts'

type Subscribing = Parameters<EventStore['subscribe']>[0]

const askAgainMs = 250

/**
 * A subscription that passes over what is truncated of users who were erased by the time it began. Who is erased later
 * was there, and is told of when the event comes.
 */
export async function* subscribeWithoutErased(
  store: EventStore,
  subscribing: Subscribing,
): AsyncGenerator<Batch> {
  const erased = await knownErasures(store, subscribing)
  const isErased = createIsErased(store, erased)
  for await (const batch of store.subscribe(subscribing)) {
    if (erased.size === 0) {
      yield batch
      continue
    }
    const events = []
    for (const event of batch.events) if (!(await isErased(event))) events.push(event)
    yield { ...batch, events }
  }
}

/** A subscription survives the store's outages, and so does what comes before it. */
async function knownErasures(store: EventStore, { after, signal }: Subscribing): Promise<Set<number>> {
  while (!signal.aborted) {
    try {
      return await erasedUsers(store, { after, signal })
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || error instanceof LogReplaced) throw error
      await pause(askAgainMs, undefined, { signal }).catch(() => undefined)
    }
  }
  return new Set()
}
