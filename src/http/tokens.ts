import { z } from 'zod'
import type { Accounts } from '../account/accounts.ts'
import { type Exchange, json } from './exchange.ts'
import { password, text } from './fields.ts'
import type { NewContext } from './new-context.ts'

export const obtainBody = z.object({ username: text(), password: password() })
export const refreshBody = z.object({ refresh: text() })

/** The last steps of login and refresh. */
export function createTokenRoutes(accounts: Accounts, newContext: NewContext) {
  return {
    async obtainTokens(exchange: Exchange & { fields: z.infer<typeof obtainBody> }) {
      const { refresh, access } = await accounts.obtainTokens(exchange.fields, newContext(exchange))
      return json(200, { refresh, access })
    },

    async refreshTokens(exchange: Exchange & { fields: z.infer<typeof refreshBody> }) {
      const { access, refresh } = await accounts.refreshTokens(exchange.fields.refresh, newContext(exchange))
      return json(200, { access, refresh })
    },
  }
}
