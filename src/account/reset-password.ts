import {
  type Account,
  type ActiveAccount,
  requestPasswordReset as decideRequest,
  resetPassword as decideReset,
  type Reset,
  usableReset,
} from './account.ts'
import type { CommandContext } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import type { ParsedMailedToken } from './mailed-tokens.ts'
import { onceByKey, requireSame } from './once-by-key.ts'
import { passwordProblems } from './password-rules.ts'
import { randomId, type WriteSide } from './write-side.ts'

/** Stores that a reset mail is due; the mailer sends it. Throws `email_unknown`. */
export async function requestPasswordReset(
  side: WriteSide,
  email: string,
  context: CommandContext,
): Promise<void> {
  // Whoever had the address may have another by now, and be asked about what was done then.
  const stream = await side.claims.lastClaimant('email', email, context.deadline)
  if (stream === null) throw new DomainError('email_unknown')
  const command = { name: 'request reset', actor: 'system', aggregate: accounts, stream } as const
  await onceByKey(side, command, context, {
    again: async ({ event }) => requireSame(event.type === 'PasswordResetRequested'),
    async first(intent) {
      const holder = await side.claims.holder('email', email, context.deadline)
      if (holder?.account.status !== 'active') throw new DomainError('email_unknown')
      const resetId = randomId()
      await side.handler.handle(accounts, holder.stream, intent, (account, _revision, now) => {
        const expiresAt = new Date(Date.parse(now) + side.settings.resetTokenTtlSeconds * 1000).toISOString()
        return decideRequest(account, { resetId, now, expiresAt })
      })
    },
  })
}

/** Throws `reset_token_invalid` unless the token is genuine, unused and within its time. */
export async function validateResetToken(
  side: WriteSide,
  text: string,
  context: CommandContext,
): Promise<{ account: ActiveAccount; reset: Reset }> {
  const token = parsed(side, text)
  const { state } = await side.handler.load(accounts, accountStream(token.userId), context.deadline)
  return usable(side, token, state, new Date(side.now()).toISOString())
}

function parsed(side: WriteSide, text: string): ParsedMailedToken {
  const token = side.tokens.resets.parse(text)
  if (!token) throw new DomainError('reset_token_invalid')
  return token
}

function usable(
  side: WriteSide,
  token: ParsedMailedToken,
  account: Account,
  now: string,
): { account: ActiveAccount; reset: Reset } {
  const reset = usableReset(account, token.id, now)
  if (account.status !== 'active' || !side.tokens.resets.isGenuine(token, reset.expiresAt)) {
    throw new DomainError('reset_token_invalid')
  }
  return { account, reset }
}

/**
 * Sets a new password by a mailed token; the token is used up by success alone. Throws `reset_token_invalid`,
 * then `invalid_fields` with the password's problems.
 */
export async function confirmPasswordReset(
  side: WriteSide,
  { token: text, password }: { token: string; password: string },
  context: CommandContext,
): Promise<void> {
  const token = parsed(side, text)
  const stream = accountStream(token.userId)
  const command = { name: 'reset password', actor: token.userId, aggregate: accounts, stream }
  await onceByKey(side, command, context, {
    async again({ event, before }) {
      usable(side, token, before.state, before.time)
      requireSame(
        event.type === 'PasswordReset' &&
          event.data.resetId === token.id &&
          (await side.hasher.verify(event.data.passwordHash, password, context.deadline)),
      )
    },
    async first(intent) {
      const { account, reset } = await validateResetToken(side, text, context)
      const { username, email, profile } = account
      const problems = passwordProblems(password, { username, email, ...profile })
      if (problems.length > 0) {
        throw new DomainError(
          'invalid_fields',
          problems.map(problem => ({ field: 'password', ...problem })),
        )
      }
      const passwordHash = await side.hasher.hash(password, context.deadline)
      await side.handler.handle(accounts, stream, intent, (state, _revision, now) =>
        decideReset(state, { resetId: reset.resetId, now, passwordHash }),
      )
    },
  })
}
