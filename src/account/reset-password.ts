import {
  type ActiveAccount,
  requestPasswordReset as decideRequest,
  resetPassword as decideReset,
  type Reset,
  usableReset,
} from './account.ts'
import type { CommandContext } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import { passwordProblems } from './password-rules.ts'
import { intentOf, randomId, type WriteSide } from './write-side.ts'

/** Stores that a reset mail is due; the mailer sends it. Throws `email_unknown`. */
export async function requestPasswordReset(
  side: WriteSide,
  email: string,
  context: CommandContext,
): Promise<void> {
  const holder = await side.claims.holder('email', email, context.deadline)
  if (holder?.account.status !== 'active') throw new DomainError('email_unknown')
  const resetId = randomId()
  const intent = intentOf('request reset', 'system', context)
  await side.handler.handle(accounts, holder.stream, intent, (account, _revision, now) => {
    const expiresAt = new Date(Date.parse(now) + side.settings.resetTokenTtlSeconds * 1000).toISOString()
    return decideRequest(account, { resetId, now, expiresAt })
  })
}

/** Throws `reset_token_invalid` unless the token is genuine, unused and within its time. */
export async function validateResetToken(
  side: WriteSide,
  token: string,
  context: CommandContext,
): Promise<{ account: ActiveAccount; reset: Reset }> {
  const parsed = side.tokens.resets.parse(token)
  if (!parsed) throw new DomainError('reset_token_invalid')
  const { state } = await side.handler.load(accounts, accountStream(parsed.userId), context.deadline)
  if (state.status !== 'active') throw new DomainError('reset_token_invalid')
  const reset = usableReset(state, parsed.id, new Date(side.now()).toISOString())
  if (!side.tokens.resets.isGenuine(parsed, reset.expiresAt)) throw new DomainError('reset_token_invalid')
  return { account: state, reset }
}

/**
 * Sets a new password by a mailed token; the token is used up by success alone. Throws `reset_token_invalid`,
 * then `invalid_fields` with the password's problems.
 */
export async function confirmPasswordReset(
  side: WriteSide,
  command: { token: string; password: string },
  context: CommandContext,
): Promise<void> {
  const { account, reset } = await validateResetToken(side, command.token, context)
  const { username, email, profile } = account
  const problems = passwordProblems(command.password, { username, email, ...profile })
  if (problems.length > 0) {
    throw new DomainError(
      'invalid_fields',
      problems.map(problem => ({ field: 'password', ...problem })),
    )
  }
  const passwordHash = await side.hasher.hash(command.password, context.deadline)
  const intent = intentOf('reset password', account.userId, context)
  await side.handler.handle(accounts, accountStream(account.userId), intent, (state, _revision, now) =>
    decideReset(state, { resetId: reset.resetId, now, passwordHash }),
  )
}
