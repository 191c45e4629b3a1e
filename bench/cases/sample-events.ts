import { randomUUID } from 'node:crypto'
import type { EventMetadata, NewEvent } from '../../src/event-store/event-store.ts'
import { bioAfter } from '../world/edits.ts'

const now = new Date().toISOString()
const metadata: EventMetadata = {
  userId: 123_456,
  actor: 123_456,
  time: now,
  $correlationId: randomUUID(),
  $causationId: randomUUID(),
  version: 1,
}

/** An edit as the log holds it. */
export const profileEdited: NewEvent = {
  id: randomUUID(),
  type: 'ProfileEdited',
  data: { bio: bioAfter(50) },
  metadata,
}

/** A refresh as the log holds it. */
export const sessionRefreshed: NewEvent = {
  id: randomUUID(),
  type: 'SessionRefreshed',
  data: {
    userId: 123_456,
    username: 'petra_berg1963',
    startedAt: now,
    accountRevision: 0,
    device: 'bench',
    addressRange: '127.0.0.0/24',
    current: 12,
    currentIssuedAt: now,
    currentExpiresAt: now,
    presented: 11,
    replaced: [{ first: 11, last: 11, from: now, until: now }],
  },
  metadata,
}
