import { z } from 'zod'
import type { AccessClaims, Accounts } from '../account/accounts.ts'
import { type Answer, type Exchange, json } from './exchange.ts'
import { password, text } from './fields.ts'
import type { HideTime } from './hide-time.ts'
import type { Limits } from './limits.ts'
import type { NewContext } from './new-context.ts'
import { emailRule, longestEmail } from './register.ts'
import { pendingUnless } from './visible.ts'

export const changeEmailBody = z.object({
  password: password(),
  email: text({ maximum: longestEmail, rule: emailRule }),
})
export const confirmEmailBody = z.object({ token: text() })

type Change = { claims: AccessClaims; fields: z.infer<typeof changeEmailBody> }

const done = (...headers: string[]): Answer => json(200, { status: 'OK' }, ...headers)

/** The last steps of a change of the address: it is asked for, and confirmed by the token mailed to it. */
export function createEmailChangeRoutes(
  accounts: Accounts,
  newCommand: NewContext,
  { hideTime, limits }: { hideTime: HideTime | null; limits: Limits },
) {
  return {
    async changeEmail(exchange: Exchange & Change): Promise<Answer> {
      const { claims, fields } = exchange
      const context = { ...newCommand(exchange), permit: limits.permitEmailChange(exchange) }
      await limits.withPassword(exchange, () => accounts.requestEmailChange(claims, fields, context))
      if (hideTime) await hideTime(exchange)
      return done()
    },

    async confirmEmail(exchange: Exchange & { fields: z.infer<typeof confirmEmailBody> }): Promise<Answer> {
      const { visible } = await accounts.confirmEmailChange(exchange.fields.token, newCommand(exchange))
      return done(...pendingUnless(visible))
    },
  }
}
