import { changePassword as decideChange } from './account.ts'
import type { AccessClaims, CommandContext } from './accounts.ts'
import { DomainError, type FieldProblem } from './domain-error.ts'
import { handleProven } from './handle-proven.ts'
import { passwordProblems } from './password-rules.ts'
import { randomId, type WriteSide } from './write-side.ts'

/**
 * Sets another password; every other session ends, and the owner is told. Throws `invalid_fields` with what is wrong
 * with `old_password` and `new_password`.
 */
export async function changePassword(
  side: WriteSide,
  claims: AccessClaims,
  change: { oldPassword: string; newPassword: string },
  context: CommandContext,
): Promise<void> {
  const noticeId = randomId()
  const command = { name: 'change password', password: change.oldPassword }
  await handleProven(side, claims, command, context, async ({ account, asking, isRight }) => {
    const { username, email, profile } = account
    const problems: FieldProblem[] = isRight ? [] : [{ field: 'old_password', code: 'password_wrong' }]
    for (const problem of passwordProblems(change.newPassword, { username, email, ...profile })) {
      problems.push({ field: 'new_password', ...problem })
    }
    if (problems.length > 0) throw new DomainError('invalid_fields', problems)
    const passwordHash = await side.hasher.hash(change.newPassword, context.deadline)
    return current => decideChange(current, { passwordHash, noticeId, asking })
  })
}
