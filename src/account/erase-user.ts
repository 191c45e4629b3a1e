import type { Revision } from '../event-store/event-store.ts'
import { eraseAccount } from './account.ts'
import type { AccessClaims, CommandContext, Written } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError, type FieldProblem } from './domain-error.ts'
import { handleProven, type ProvenCommand } from './handle-proven.ts'
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
  expected: (revision: Revision) => boolean = () => true,
): Promise<Written<null>> {
  const { userId } = claims
  const stream = accountStream(userId)
  const wrongPassword: FieldProblem = { field: 'password', code: 'password_wrong' }
  const command: ProvenCommand = {
    name: 'erase',
    password,
    wrongPassword,
    async prepare({ asking, isRight }) {
      if (!isRight) throw new DomainError('invalid_fields', [wrongPassword])
      return (account, now, at) => {
        if (!expected(at)) throw new DomainError('revision_moved')
        return eraseAccount(account, { now, asking })
      }
    },
    isSame: event => event.type === 'UserErased',
  }
  await handleProven(side, claims, command, context)
  const { revision } = await side.handler.load(accounts, stream, context.deadline)
  return { value: null, visible: await side.waitUntilVisible(userId, stream, revision) }
}
