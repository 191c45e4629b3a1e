import { changePassword as decideChange } from './account.ts'
import type { AccessClaims, CommandContext } from './accounts.ts'
import { DomainError, type FieldProblem } from './domain-error.ts'
import { handleProven, type ProvenCommand } from './handle-proven.ts'
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
  const { oldPassword, newPassword } = change
  const wrongPassword: FieldProblem = { field: 'old_password', code: 'password_wrong' }
  const command: ProvenCommand = {
    name: 'change password',
    password: oldPassword,
    wrongPassword,
    async prepare({ account, asking, isRight }) {
      const { username, email, profile } = account
      const problems: FieldProblem[] = isRight ? [] : [wrongPassword]
      for (const problem of passwordProblems(newPassword, { username, email, ...profile })) {
        problems.push({ field: 'new_password', ...problem })
      }
      if (problems.length > 0) throw new DomainError('invalid_fields', problems)
      await context.permit?.(account)
      const passwordHash = await side.hasher.hash(newPassword, context.deadline)
      return current => decideChange(current, { passwordHash, noticeId, asking })
    },
    isSame: event =>
      event.type === 'PasswordChanged' &&
      side.hasher.verify(event.data.passwordHash, newPassword, context.deadline),
  }
  await handleProven(side, claims, command, context)
}
