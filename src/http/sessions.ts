import { sessionRow } from '../../projections/sessions.ts'
import type { AccessClaims, Accounts } from '../account/accounts.ts'
import type { SessionQueries } from '../projector/session-queries.ts'
import { notFound, Refusal } from './errors.ts'
import { type Answer, type Exchange, json, noContent } from './exchange.ts'
import type { NewContext } from './new-context.ts'
import { pendingUnless } from './visible.ts'

type Asked = Exchange & { claims: AccessClaims }

const sessionId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The last steps of the routes about a user's sessions. */
export function createSessionRoutes(
  accounts: Accounts,
  sessions: SessionQueries,
  newContext: NewContext,
  newCommand: NewContext,
) {
  return {
    /** The sessions that go on, the one used last first. */
    async list(exchange: Asked): Promise<Answer> {
      const { userId, sessionId: asking } = exchange.claims
      const begun = await sessions.unexpired(userId)
      const context = newContext(exchange)
      const live = await accounts.outlivingAmong(userId, begun, context)
      if (!live.some(({ id }) => id === asking)) {
        // It began a moment ago: login does not wait for read models.
        live.push(sessionRow(asking, await accounts.ownSession(exchange.claims, context)))
      }
      live.sort((a, b) => Date.parse(b.lastUsedAt) - Date.parse(a.lastUsedAt))
      const shown = live.map(({ id, device, addressRange, startedAt, lastUsedAt }) => ({
        id,
        device,
        address_range: addressRange,
        started: startedAt,
        last_used: lastUsedAt,
        current: id === asking,
      }))
      return json(200, shown)
    },

    async endOne(exchange: Asked): Promise<Answer> {
      const { segment, claims } = exchange
      if (!sessionId.test(segment)) throw new Refusal(notFound())
      const { visible } = await accounts.endSession(claims, segment, newCommand(exchange))
      return noContent(...pendingUnless(visible))
    },

    async endOthers(exchange: Asked): Promise<Answer> {
      await accounts.endOtherSessions(exchange.claims, newCommand(exchange))
      return noContent()
    },
  }
}
