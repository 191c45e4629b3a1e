import type { AccessClaims, Accounts, ExportedUser } from '../account/accounts.ts'
import type { SessionQueries } from '../projector/session-queries.ts'
import { type Answer, type Exchange, json } from './exchange.ts'
import type { NewContext } from './new-context.ts'
import { toWholeProfile } from './profile-fields.ts'

/** The last step of an export: all that is known of the user, as a file. */
export function createExportUser(accounts: Accounts, sessions: SessionQueries, newContext: NewContext) {
  return async (exchange: Exchange & { claims: AccessClaims }): Promise<Answer> => {
    const { claims } = exchange
    const ids: string[] = []
    for await (const { id } of sessions.allOfUser(claims.userId)) ids.push(id)
    const exported = await accounts.exportUser(claims, ids, newContext(exchange))
    const file = `attachment; filename="roster-user-${claims.userId}.json"`
    const body = JSON.stringify(toExport(exported), null, 2)
    return { ...json(200, {}, 'Content-Disposition', file), body }
  }
}

function toExport({ profile, emailChange, names, sessions, events, ...exported }: ExportedUser) {
  return {
    exported: exported.exportedAt,
    registered: exported.registeredAt,
    profile: toWholeProfile(profile),
    email_proved: exported.emailProved,
    pending_email_change: emailChange && {
      email: emailChange.email,
      requested: emailChange.requestedAt,
      expires: emailChange.expiresAt,
    },
    names: names.map(({ kind, name, claimedAt }) => ({ kind, name, claimed: claimedAt })),
    sessions: sessions.map(session => ({
      id: session.id,
      device: session.device,
      address_range: session.addressRange,
      started: session.startedAt,
      last_used: session.lastUsedAt,
      expires: session.expiresAt,
      ended: session.endedAt,
    })),
    events: events.map(({ requestId, ...event }) => ({ ...event, request_id: requestId })),
  }
}
