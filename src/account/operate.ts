import {
  type Account,
  setEmail as decideEmail,
  disableAccount,
  enableAccount,
  eraseByOperator,
  requestPasswordReset,
  requireActive,
  requireRegistered,
  signOut,
} from './account.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError, Overloaded } from './domain-error.ts'
import type { AccountEvent } from './events.ts'
import type { Intent } from './handle.ts'
import { takeEmail } from './take-email.ts'
import { randomId, type WriteSide } from './write-side.ts'

/** What operators work with, beside a running service or without one. */
export type Operating = Pick<WriteSide, 'claims' | 'handler' | 'now'>

/** Who operates, until when: the intent of each command has a key of its own. */
export type OperatorIntent = Omit<Intent, 'key' | 'actor'>

const decisions = {
  disable: disableAccount,
  enable: enableAccount,
  'sign-out': signOut,
  erase: eraseByOperator,
} satisfies Record<string, (account: Account, now: string) => AccountEvent[]>

export type Operation = keyof typeof decisions

/** Does something to an account. False: it was so already. Throws `account_gone`. */
export function operate(
  side: Operating,
  userId: number,
  operation: Operation,
  intent: OperatorIntent,
): Promise<boolean> {
  return handled(side, userId, intent, decisions[operation])
}

/**
 * Has a reset mailed to a user by the service. False: one was asked for a moment ago. Throws `account_gone`, for a
 * disabled account too, and `email_unknown` for one without an address.
 */
export function sendReset(
  side: Operating,
  userId: number,
  ttlSeconds: number,
  intent: OperatorIntent,
): Promise<boolean> {
  const resetId = randomId()
  return handled(side, userId, intent, (account, now) => {
    if (requireActive(account).email === '') throw new DomainError('email_unknown')
    const expiresAt = new Date(Date.parse(now) + ttlSeconds * 1000).toISOString()
    return requestPasswordReset(account, { resetId, now, expiresAt })
  })
}

/**
 * Sets a user's address, '' for none, by the rule for names; it counts as not proved. False: it was so already. Throws
 * `account_gone`, and `invalid_fields` if somebody else has the address.
 */
export async function setEmail(
  side: Operating,
  userId: number,
  email: string,
  intent: OperatorIntent,
): Promise<boolean> {
  const noticeId = randomId()
  for (;;) {
    const { state, revision, time } = await side.handler.load(
      accounts,
      accountStream(userId),
      intent.deadline,
    )
    const account = requireRegistered(state)
    if (account.email === email) return false
    const taking = await takeEmail(side, { account, revision, time }, email, named(intent), () =>
      decideEmail(account, { email, noticeId }),
    )
    if (taking.outcome === 'taken') return true
    if (taking.outcome === 'held') {
      throw new DomainError('invalid_fields', [{ field: 'email', code: 'email_taken' }])
    }
    if (performance.now() > intent.deadline) throw new Overloaded('set an address until the deadline')
  }
}

async function handled(
  side: Operating,
  userId: number,
  intent: OperatorIntent,
  decide: (account: Account, now: string) => AccountEvent[],
): Promise<boolean> {
  const { appended } = await side.handler.handle(
    accounts,
    accountStream(userId),
    named(intent),
    (account, _revision, now) => decide(account, now),
  )
  return appended
}

function named(intent: OperatorIntent): Intent {
  return { ...intent, key: `operate ${randomId()}`, actor: 'operator' }
}
