import { type Revision, RevisionConflict } from '../event-store/event-store.ts'
import { evolve, type RegisteredAccount, requireRegistered } from './account.ts'
import { accountStream } from './aggregates.ts'
import type { AccountEvent } from './events.ts'
import type { Intent } from './handle.ts'
import { emailKey } from './names.ts'
import type { WriteSide } from './write-side.ts'

/** An account as it was read, which an event is to follow at exactly this revision. */
export type AccountRead = { account: RegisteredAccount; revision: Revision; time: string }

/** `held`: somebody else has the address. `overtaken`: the account moved on, and it is worth another attempt. */
export type EmailTaking =
  | { outcome: 'taken'; account: RegisteredAccount; stream: string; revision: Revision }
  | { outcome: 'held' | 'overtaken' }

/**
 * One attempt to change an account's address by the rule for names: claims it for the account's next revision, and
 * appends the event there. `decide` is given the time that the event will bear.
 */
export async function takeEmail(
  side: Pick<WriteSide, 'claims' | 'handler' | 'now'>,
  { account, revision, time }: AccountRead,
  email: string,
  intent: Intent,
  decide: (now: string) => AccountEvent[],
): Promise<EmailTaking> {
  const stream = accountStream(account.userId)
  const needsClaim = email !== '' && emailKey(account.email) !== emailKey(email)
  if (needsClaim && !(await side.claims.claim('email', email, { stream, at: revision }, intent))) {
    return { outcome: 'held' }
  }
  const now = new Date(Math.max(side.now(), Date.parse(time))).toISOString()
  const [event] = decide(now)
  if (!event) throw new Error('expected an event that changes the address, found none')
  try {
    const appended = await side.handler.appendAt(stream, event, revision, time, intent)
    const after = evolve(account, event, { revision: Number(appended.revision), time: now })
    return { outcome: 'taken', account: requireRegistered(after), stream, revision: appended.revision }
  } catch (error) {
    if (error instanceof RevisionConflict) return { outcome: 'overtaken' }
    throw error
  }
}
