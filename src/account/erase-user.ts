import { eraseAccount } from './account.ts'
import type { AccessClaims, CommandContext, Written } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import { handleProven } from './handle-proven.ts'
import type { WriteSide } from './write-side.ts'

/**
 * Erases the user: at once the account is gone and its sessions are dead; the eraser then sees to what is left. Throws
 * `invalid_fields` for a wrong password.
 */
export async function eraseUser(
  side: WriteSide,
  claims: AccessClaims,
  password: string,
  context: CommandContext,
): Promise<Written<null>> {
  const { userId } = claims
  const stream = accountStream(userId)
  const command = { name: 'erase', password }
  await handleProven(side, claims, command, context, async ({ asking, isRight }) => {
    if (!isRight) throw new DomainError('invalid_fields', [{ field: 'password', code: 'password_wrong' }])
    return (account, now) => eraseAccount(account, { now, asking })
  })
  const { revision } = await side.handler.load(accounts, stream, context.deadline)
  return { value: null, visible: await side.waitUntilVisible(userId, stream, revision) }
}
