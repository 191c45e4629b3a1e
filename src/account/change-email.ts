import type { Revision } from '../event-store/event-store.ts'
import {
  type ActiveAccount,
  confirmEmailChange as decideConfirmation,
  requestEmailChange as decideRequest,
  type EmailChange,
  loseEmail,
  type RegisteredAccount,
  requireActive,
  requireRegistered,
  usableEmailChange,
} from './account.ts'
import type { AccessClaims, CommandContext, Written } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError, type FieldProblem, Overloaded } from './domain-error.ts'
import type { Intent } from './handle.ts'
import { handleProven, type ProvenCommand } from './handle-proven.ts'
import type { ParsedMailedToken } from './mailed-tokens.ts'
import { onceByKey, requireSame } from './once-by-key.ts'
import { provedOwner } from './proved-owner.ts'
import { type AccountRead, takeEmail } from './take-email.ts'
import { intentOf, randomId, type WriteSide, whenVisible } from './write-side.ts'

/**
 * Stores that an address is to be proved by a mail to it, and changed then. Throws `invalid_fields` with what is wrong
 * with `password` and `email`: taken is an address only by whoever proved it. Where addresses are hidden, nothing tells that
 * it is: the mailer lets its owner know instead of sending the token.
 */
export async function requestEmailChange(
  side: WriteSide,
  claims: AccessClaims,
  change: { password: string; email: string },
  context: CommandContext,
): Promise<void> {
  const { email } = change
  const { deadline } = context
  const changeId = randomId()
  const wrongPassword: FieldProblem = { field: 'password', code: 'password_wrong' }
  const command: ProvenCommand = {
    name: 'request e-mail change',
    password: change.password,
    wrongPassword,
    async prepare({ account, asking, isRight }) {
      const problems: FieldProblem[] = isRight ? [] : [wrongPassword]
      const isHidden = side.settings.hideUnknownEmails
      if (!isHidden && (await provedOwner(side, email, { exceptUser: claims.userId, deadline }))) {
        problems.push({ field: 'email', code: 'email_taken' })
      }
      if (problems.length > 0) throw new DomainError('invalid_fields', problems)
      await context.permit?.(account)
      return (current, now) => {
        const expiresAt = new Date(Date.parse(now) + side.settings.emailTokenTtlSeconds * 1000).toISOString()
        return decideRequest(current, { changeId, email, now, expiresAt, asking })
      }
    },
    isSame: event => event.type === 'EmailChangeRequested' && event.data.email === email,
  }
  await handleProven(side, claims, command, context)
}

/** What a confirmation works with. */
type Confirming = Pick<WriteSide, 'claims' | 'handler' | 'tokens' | 'now' | 'waitUntilVisible'>

type Confirmable = AccountRead & { account: ActiveAccount; change: EmailChange }

/**
 * Makes an address the account's by the token mailed to it, with the rule for names at the account's present
 * revision. Who holds it without having proved it loses it. Throws `email_token_invalid`.
 */
export async function confirmEmailChange(
  side: Confirming,
  text: string,
  context: CommandContext,
): Promise<Written<null>> {
  const token = side.tokens.emailChanges.parse(text)
  if (!token) throw new DomainError('email_token_invalid')
  const { userId } = token
  const command = {
    name: 'confirm e-mail',
    actor: userId,
    aggregate: accounts,
    stream: accountStream(userId),
  }
  return onceByKey(side, command, context, {
    async again({ event, before, after }) {
      const change = usableEmailChange(before.state, token.id, before.time)
      requireGenuine(side, token, change)
      requireSame(event.type === 'EmailChanged' && event.data.changeId === token.id)
      const written = { stream: event.stream, revision: after.revision }
      return confirmed(side, requireRegistered(after.state), written)
    },
    first: intent => confirm(side, token, intent, context),
  })
}

async function confirm(
  side: Confirming,
  token: ParsedMailedToken,
  intent: Intent,
  context: CommandContext,
): Promise<Written<null>> {
  for (;;) {
    const confirmable = await readEmailToken(side, token, context)
    const { account, change } = confirmable
    const { email, changeId } = change
    const taking = await takeEmail(side, confirmable, email, intent, now =>
      decideConfirmation(account, { changeId, noticeId: randomId(), now }),
    )
    if (taking.outcome === 'taken') return confirmed(side, taking.account, taking)
    if (taking.outcome === 'held') await dispossess(side, { email, takenBy: account.userId }, context)
    if (performance.now() > context.deadline) throw new Overloaded('changed an address until the deadline')
  }
}

async function confirmed(
  side: Confirming,
  account: RegisteredAccount,
  written: { stream: string; revision: Revision },
): Promise<Written<null>> {
  const { visible } = await whenVisible(side, account, written)
  return { value: null, visible }
}

async function readEmailToken(
  side: Confirming,
  token: ParsedMailedToken,
  context: CommandContext,
): Promise<Confirmable> {
  const loaded = await side.handler.load(accounts, accountStream(token.userId), context.deadline)
  const { state, revision, time } = loaded
  const change = usableEmailChange(state, token.id, new Date(side.now()).toISOString())
  requireGenuine(side, token, change)
  return { account: requireActive(state), change, revision, time }
}

function requireGenuine(side: Confirming, token: ParsedMailedToken, change: EmailChange): void {
  if (!side.tokens.emailChanges.isGenuine(token, change.expiresAt)) {
    throw new DomainError('email_token_invalid')
  }
}

/** Lets who holds an address without having proved it lose it. Throws `email_token_invalid` if they proved it. */
async function dispossess(
  side: Confirming,
  { email, takenBy }: { email: string; takenBy: number },
  context: CommandContext,
): Promise<void> {
  const holder = await side.claims.holder('email', email, context.deadline)
  if (!holder) return
  if (holder.account.emailProved) throw new DomainError('email_token_invalid')
  const intent = intentOf('lose e-mail', takenBy, context)
  await side.handler.handle(accounts, holder.stream, intent, state =>
    loseEmail(state, { email: holder.account.email, takenBy }),
  )
}
