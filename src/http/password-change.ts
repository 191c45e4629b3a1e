import { z } from 'zod'
import type { AccessClaims, Accounts } from '../account/accounts.ts'
import { type Answer, type Exchange, json } from './exchange.ts'
import { password } from './fields.ts'
import type { Limits } from './limits.ts'
import type { NewContext } from './new-context.ts'

export const changePasswordBody = z.object({
  old_password: password(),
  new_password: password().meta({ minLength: 8, maxLength: 128 }),
})

type Change = { claims: AccessClaims; fields: z.infer<typeof changePasswordBody> }

/** The last step of a change of the password: every other session ends. */
export function createChangePassword(accounts: Accounts, newCommand: NewContext, limits: Limits) {
  return async (exchange: Exchange & Change): Promise<Answer> => {
    const { claims, fields } = exchange
    const change = { oldPassword: fields.old_password, newPassword: fields.new_password }
    const context = { ...newCommand(exchange), permit: limits.permitPasswordChange(exchange) }
    await limits.withPassword(exchange, () => accounts.changePassword(claims, change, context))
    return json(200, { status: 'OK' })
  }
}
