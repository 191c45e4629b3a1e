import type { RegisteredAccount } from './account.ts'
import type { Claims } from './claims.ts'

/**
 * Who has an address and proved it, unless that is `exceptUser`: then nobody else can get it. `deadline` is in
 * `performance.now()` milliseconds.
 */
export async function provedOwner(
  { claims }: { claims: Pick<Claims, 'holder'> },
  email: string,
  { exceptUser, deadline }: { exceptUser: number; deadline: number },
): Promise<RegisteredAccount | null> {
  const holder = await claims.holder('email', email, deadline)
  const isTaken = holder?.account.emailProved === true && holder.account.userId !== exceptUser
  return isTaken ? holder.account : null
}
