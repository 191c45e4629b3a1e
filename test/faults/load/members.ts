import { randomBytes, randomInt } from 'node:crypto'
import type { Caller } from './caller.ts'
import type { Attempt, Ledger, Member } from './ledger.ts'
import type { Outbox } from './outbox.ts'

/**
 * What an operation works with. `operate` runs `roster user <args>` on the same stores. `giveUp`: whether to stop waiting
 * for what may never come.
 */
export type Doing = {
  caller: Caller
  ledger: Ledger
  outbox: Outbox
  operate(args: readonly string[]): Promise<{ code: number; stderr: string }>
  giveUp(): boolean
}

/** `alone`: it waits for all that is done to the member, and all the rest for it. */
type Use = { what: string; alone?: true; isFit?(member: Member): boolean }

/** Does it to some member to whom nothing is being done that it could disturb, if there is one. */
export async function withMember(
  { ledger }: Doing,
  { what, alone, isFit = () => true }: Use,
  use: (member: Member) => Promise<unknown>,
): Promise<void> {
  const free = ledger.members.filter(
    member =>
      isKnown(member) &&
      !member.isTaken &&
      (alone ? member.busy.size === 0 : !member.busy.has(what)) &&
      isFit(member),
  )
  const member = pick(free)
  if (!member) return
  member.busy.add(what)
  member.isTaken = alone ?? false
  member.touched = true
  try {
    await use(member)
  } finally {
    member.busy.delete(what)
    if (alone) member.isTaken = false
  }
}

/** Where a reset, a change, an erasure or an operator got no answer, it is not known what else to expect. */
function isKnown({ password, mayBeErased, operatorDue }: Member): boolean {
  return password.maybe === null && !mayBeErased && operatorDue === null
}

export function newAttempt(): Attempt {
  const name = randomBytes(5).toString('hex')
  return { username: `u${name}`, email: newAddress(), password: newPassword() }
}

export const newAddress = () => `${unique('m')}@faults.example`
export const newPassword = () => randomBytes(18).toString('base64url')
export const unique = (prefix: string) => `${prefix}-${randomBytes(8).toString('hex')}`
export const pick = <T>(items: readonly T[]): T | undefined =>
  items.length === 0 ? undefined : items[randomInt(items.length)]
