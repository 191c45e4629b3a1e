import type { EventStore, Position, RecordedEvent } from '../event-store/event-store.ts'

const accountStream = /^user-(\d+)$/
/** Events of a session that tell who it was; its others hold a user id and nothing else. */
const tellingSessionEvents = new Set(['SessionStarted', 'SessionRefreshed'])

/** The users erased in a part of the log. Their earlier events may not have been truncated yet. */
export async function erasedUsers(
  store: EventStore,
  { after, upTo, signal }: { after?: Position; upTo?: Position; signal?: AbortSignal } = {},
): Promise<Set<number>> {
  const erased = new Set<number>()
  const filter = { prefixes: ['user-'], types: ['UserErased'] }
  const part = { filter, ...(after === undefined ? {} : { after }), ...(signal ? { signal } : {}) }
  for await (const { events } of store.readAll(part)) {
    for (const event of events) {
      const userId = erasedBy(event)
      if (userId !== null && (upTo === undefined || event.position <= upTo)) erased.add(userId)
    }
  }
  return erased
}

/** The user whom an event erases, or null. */
export function erasedBy(event: { stream: string; type: string }): number | null {
  return event.type === 'UserErased' ? accountOf(event.stream) : null
}

/** Whose account a stream is, or null. */
export function accountOf(stream: string): number | null {
  const id = accountStream.exec(stream)?.[1]
  return id === undefined ? null : Number(id)
}

/** The user of whom an event tells what is to be forgotten with them, or null. `userId`: what its metadata says. */
export function tellsOf(event: { stream: string; type: string; userId(): unknown }): number | null {
  const { stream, type } = event
  if (stream.startsWith('user-')) return type === 'UserErased' ? null : accountOf(stream)
  if (!stream.startsWith('session-') || !tellingSessionEvents.has(type)) return null
  const userId = event.userId()
  return typeof userId === 'number' ? userId : null
}

/**
 * Tells apart what was truncated of erased users, for those who read the log in its whole: EventStoreDB goes on handing
 * that out, and parts of it, until it is scavenged.
 */
export function createIsErased(
  store: EventStore,
  erased: ReadonlySet<number>,
): (event: RecordedEvent) => Promise<boolean> {
  const beginnings = new Map<string, bigint>()
  return async event => {
    const { stream, revision } = event
    const owner = tellsOf({ ...event, userId: () => event.metadata?.userId })
    if (owner === null || !erased.has(owner)) return false
    if (revision < (beginnings.get(stream) ?? 0n)) return true
    const [first] = await store.readStream(stream, { limit: 1 })
    const beginning = first?.revision ?? 0n
    beginnings.set(stream, beginning)
    return revision < beginning
  }
}
