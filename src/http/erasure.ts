import { z } from 'zod'
import type { AccessClaims, Accounts } from '../account/accounts.ts'
import { expectedRevision } from './entity-tags.ts'
import { type Answer, type Exchange, noContent } from './exchange.ts'
import { password } from './fields.ts'
import type { Limits } from './limits.ts'
import type { NewContext } from './new-context.ts'
import { pendingUnless } from './visible.ts'

export const eraseBody = z.object({ password: password() })

type Erasure = { claims: AccessClaims; fields: z.infer<typeof eraseBody> }

/** The last step of an erasure, at the wish of who has the account. */
export function createEraseUser(accounts: Accounts, newCommand: NewContext, limits: Limits) {
  return async (exchange: Exchange & Erasure): Promise<Answer> => {
    const { claims, fields } = exchange
    const context = newCommand(exchange)
    const expected = expectedRevision(exchange.req.headers, claims.userId)
    const { visible } = await limits.withPassword(exchange, () =>
      accounts.eraseUser(claims, fields.password, context, expected),
    )
    return noContent(...pendingUnless(visible))
  }
}
