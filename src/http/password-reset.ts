import { z } from 'zod'
import type { Accounts } from '../account/accounts.ts'
import { DomainError } from '../account/domain-error.ts'
import { type Answer, type Exchange, json } from './exchange.ts'
import { password, text } from './fields.ts'
import type { HideTime } from './hide-time.ts'
import type { NewContext } from './new-context.ts'
import { emailRule } from './register.ts'

export const requestResetBody = z.object({ email: text({ rule: emailRule }) })
export const confirmResetBody = z.object({
  password: password().meta({ minLength: 8, maxLength: 128 }),
  token: text(),
})
export const validateResetBody = z.object({ token: text() })

const done = (): Answer => json(200, { status: 'OK' })

/** The last steps of the three password reset routes. With `hideTime` nobody is told which addresses are known. */
export function createPasswordResetRoutes(
  accounts: Accounts,
  newContext: NewContext,
  newCommand: NewContext,
  hideTime: HideTime | null,
) {
  async function requestReset(exchange: Exchange & { fields: z.infer<typeof requestResetBody> }) {
    await accounts.requestPasswordReset(exchange.fields.email, newCommand(exchange))
    return done()
  }

  return {
    requestReset: hideTime ? hidingWhoIsUnknown(requestReset, hideTime) : requestReset,

    async confirmReset(exchange: Exchange & { fields: z.infer<typeof confirmResetBody> }) {
      await accounts.confirmPasswordReset(exchange.fields, newCommand(exchange))
      return done()
    },

    async validateToken(exchange: Exchange & { fields: z.infer<typeof validateResetBody> }) {
      await accounts.validateResetToken(exchange.fields.token, newContext(exchange))
      return done()
    },
  }
}

/** The same answer at the same time, whether or not there is an account with that address. */
function hidingWhoIsUnknown<E extends Exchange>(
  requestReset: (exchange: E) => Promise<Answer>,
  hideTime: HideTime,
) {
  return async (exchange: E): Promise<Answer> => {
    try {
      await requestReset(exchange)
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'email_unknown')) throw error
    }
    await hideTime(exchange)
    return done()
  }
}
