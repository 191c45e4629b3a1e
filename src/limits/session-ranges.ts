import type { Accounts } from '../account/accounts.ts'
import type { SessionQueries } from '../projector/session-queries.ts'

const withinMs = 1000

/** The ranges of addresses from which a user's sessions were used since a time, in milliseconds since 1970. */
export async function sessionRangesSince(
  { accounts, sessions }: { accounts: Accounts; sessions: SessionQueries },
  username: string,
  since: number,
): Promise<ReadonlySet<string>> {
  const userId = await accounts.findUser(username, performance.now() + withinMs)
  const used = userId === null ? [] : await sessions.usedSince(userId, since)
  return new Set(used.map(({ addressRange }) => addressRange).filter(range => range !== ''))
}
