import type { Accounts } from '../account/accounts.ts'
import type { SessionQueries } from '../projector/session-queries.ts'

const withinMs = 1000

/**
 * The ranges of addresses from which a user's sessions were used since a time, in milliseconds since 1970. Sessions that
 * were ended do not count: whoever was in them may be why. Throws `account_gone`.
 */
export async function sessionRangesSince(
  { accounts, sessions }: { accounts: Accounts; sessions: SessionQueries },
  username: string,
  since: number,
): Promise<ReadonlySet<string>> {
  const deadline = performance.now() + withinMs
  const userId = await accounts.findUser(username, deadline)
  if (userId === null) return new Set()
  const used = await sessions.usedSince(userId, since)
  const known = await accounts.outlivingAmong(userId, used, { deadline })
  return new Set(known.map(({ addressRange }) => addressRange).filter(range => range !== ''))
}
