import { z } from 'zod'
import type { Accounts } from '../account/accounts.ts'
import type { ClientOf } from './client.ts'
import { type Exchange, json } from './exchange.ts'
import { password, text } from './fields.ts'
import type { Limits } from './limits.ts'
import type { NewContext } from './new-context.ts'
import { pendingUnless } from './visible.ts'

export const obtainBody = z.object({ username: text(), password: password() })
export const refreshBody = z.object({ refresh: text() })
export const revokeBody = z.object({ refresh: text() })

/** The last steps of login, refresh and logout. */
export function createTokenRoutes(
  accounts: Accounts,
  newCommand: NewContext,
  { clientOf, limits }: { clientOf: ClientOf; limits: Limits },
) {
  return {
    async obtainTokens(exchange: Exchange & { fields: z.infer<typeof obtainBody> }) {
      const login = { ...exchange.fields, ...clientOf(exchange) }
      const permit = limits.permitSession(exchange, login.username)
      const context = { ...newCommand(exchange), permit }
      const { refresh, access } = await limits.login(exchange, login.username, () =>
        accounts.obtainTokens(login, context),
      )
      return json(200, { refresh, access })
    },

    async refreshTokens(exchange: Exchange & { fields: z.infer<typeof refreshBody> }) {
      const presented = { ...exchange.fields, ...clientOf(exchange) }
      const { access, refresh } = await accounts.refreshTokens(presented, newCommand(exchange))
      return json(200, { access, refresh })
    },

    async revokeToken(exchange: Exchange & { fields: z.infer<typeof revokeBody> }) {
      const { visible } = await accounts.revokeToken(exchange.fields.refresh, newCommand(exchange))
      return json(200, {}, ...pendingUnless(visible))
    },
  }
}
