import type { RosterEventType, SessionState } from '../src/account/events.ts'
import type { Projection } from '../src/projector/projection.ts'

/**
 * Where to look up what happened, and nothing of what was said. `actor` is a user's id, `operator` or `system`;
 * `request` caused it, '' if the log does not say.
 */
export type AuditRow = {
  stream: string
  revision: number
  type: RosterEventType
  time: string
  actor: number | string
  request: string
  userId: number
}

/** Whether an event of this type is a row of its own. */
const isAudited: Readonly<Record<RosterEventType, boolean>> = {
  UserRegistered: true,
  ClaimAbandoned: true,
  ProfileEdited: true,
  PasswordResetRequested: true,
  PasswordReset: true,
  PasswordChanged: true,
  PasswordRehashed: true,
  EmailChangeRequested: true,
  EmailChanged: true,
  EmailLost: true,
  SessionStolen: true,
  EmailWanted: true,
  AccountDisabled: true,
  AccountEnabled: true,
  SessionsEnded: true,
  MailSent: true,
  MailAbandoned: true,
  UserErased: true,
  SessionStarted: true,
  SessionRefreshed: false,
  SessionRevoked: true,
  SessionForgotten: false,
  NameClaimed: false,
  IdBlockClaimed: false,
  LogCreated: false,
}

export const auditedTypes: readonly string[] = Object.entries(isAudited).flatMap(([type, is]) =>
  is ? [type] : [],
)

const accountStreams = 'user-'
const sessionStreams = 'session-'

/**
 * A row for each event of an account, and for the beginning and the end of each session. Since a session's stream is
 * truncated now and then, each event that repeats its state tells how it began. A session that is forgotten loses its
 * rows, and a user who is erased all but that of the erasure.
 *
 * An index value is a line and a time. A user, an actor and a type have few lines each, and so has everyone: a page of
 * any of them, at any depth, is a short read of each line.
 */
export const audit: Projection<AuditRow, 'type' | 'user' | 'actor'> = {
  name: 'audit',
  version: 1,
  restMs: 200,
  streams: [accountStreams, sessionStreams],

  key({ stream, revision, type }) {
    if (type === 'SessionRefreshed') return auditKey(stream, 0n)
    return isAudited[type] ? auditKey(stream, revision) : null
  },

  evolve(row, event) {
    const { stream, type, data, metadata } = event
    if (type === 'SessionStarted' || type === 'SessionRefreshed') return row ?? login(stream, data)
    return {
      stream,
      revision: Number(event.revision),
      type,
      time: metadata.time,
      actor: metadata.actor,
      request: metadata.$correlationId,
      userId: type === 'SessionRevoked' ? data.userId : Number(stream.slice(accountStreams.length)),
    }
  },

  removes({ stream, revision, type }) {
    if (type === 'UserErased') {
      return Array.from({ length: Number(revision) }, (_, each) => auditKey(stream, BigInt(each)))
    }
    if (type !== 'SessionForgotten') return []
    // Before it there is a beginning, and an end if the session was revoked.
    return [...new Set([0n, revision - 1n])].map(each => auditKey(stream, each))
  },

  indexes: {
    type: ({ type, time }) => `${type} ${time}`,
    user: ({ userId, actor, type, time }) => `${userId} ${actor} ${type} ${time}`,
    // What users did themselves is found by the user.
    actor: ({ userId, actor, type, time }) => (actor === userId ? null : `${actor} ${type} ${time}`),
  },
}

function login(stream: string, { userId, startedAt, startedBy }: SessionState): AuditRow {
  const [type, request] = ['SessionStarted', startedBy] as const
  return { stream, revision: 0, type, time: startedAt, actor: userId, request, userId }
}

/** The key of an event's row. Those of one stream are in the order of their revisions. */
export function auditKey(stream: string, revision: bigint): string {
  const digits = String(revision)
  return `${stream}@${String.fromCharCode(96 + digits.length)}${digits}`
}
