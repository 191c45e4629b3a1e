import type { EventStore, Position } from '../event-store/event-store.ts'

const accountStream = /^user-(\d+)$/
/** Events of a session that tell who it was; its others hold a user id and nothing else. */
const tellingSessionEvents = new Set(['SessionStarted', 'SessionRefreshed'])

/** The users erased in the log up to a position. Their earlier events may not have been truncated yet. */
export async function erasedUsers(store: EventStore, upTo: Position): Promise<Set<number>> {
  const erased = new Set<number>()
  for await (const { events } of store.readAll({ filter: { prefixes: ['user-'], types: ['UserErased'] } })) {
    for (const event of events) {
      const userId = erasedBy(event)
      if (userId !== null && event.position <= upTo) erased.add(userId)
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
