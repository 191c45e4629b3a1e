import type { SessionState } from '../src/account/events.ts'
import type { Projection } from '../src/projector/projection.ts'

/**
 * A login on one device. `accountRevision` tells whether it outlived what ended the account's sessions: that is an event
 * of the account's stream, and whoever lists sessions has to compare.
 */
export type SessionRow = {
  id: string
  userId: number
  device: string
  addressRange: string
  startedAt: string
  lastUsedAt: string
  accountRevision: number
  /** When its refresh token expires, or when it was revoked if that came first. */
  endsAt: string
  revoked: boolean
}

const sessionStreams = 'session-'

/** One document a session, under its id, until it is forgotten. Each of its events but the last repeats the state. */
export const sessions: Projection<SessionRow, 'user' | 'endDay'> = {
  name: 'sessions',
  version: 3,
  restMs: 20,
  streams: [sessionStreams],

  key: event => (event.stream.startsWith(sessionStreams) ? event.stream.slice(sessionStreams.length) : null),

  evolve(session, event) {
    switch (event.type) {
      case 'SessionStarted':
      case 'SessionRefreshed':
        return sessionRow(event.stream.slice(sessionStreams.length), event.data)
      case 'SessionRevoked':
        return session && { ...session, revoked: true, endsAt: event.metadata.time }
      case 'SessionForgotten':
        return null
      default:
        return session
    }
  },

  indexes: {
    // Those that go on are listed often: they are found without those that were revoked or expired.
    user: ({ userId, endsAt, revoked }) => `${userId} ${revoked ? 'revoked' : dayOf(endsAt)}`,
    endDay: ({ endsAt }) => dayOf(endsAt),
  },
}

/** Rows are found by the day, so that a refresh does not move them each time. */
function dayOf(time: string): string {
  return time.slice(0, 10)
}

/** The row of a session that goes on. */
export function sessionRow(id: string, state: SessionState): SessionRow {
  const { userId, device, addressRange, startedAt, accountRevision } = state
  const { currentIssuedAt: lastUsedAt, currentExpiresAt: endsAt } = state
  return {
    id,
    userId,
    device,
    addressRange,
    startedAt,
    lastUsedAt,
    accountRevision,
    endsAt,
    revoked: false,
  }
}
