import { noteWantedEmail } from './account.ts'
import { accounts } from './aggregates.ts'
import type { EmailWanted } from './events.ts'
import type { Intent } from './handle.ts'
import { randomId, type WriteSide } from './write-side.ts'

/** Lets the owner of an address know that somebody gave it as theirs, who is not told that it is taken. */
export async function tellOfWantedEmail(
  side: Pick<WriteSide, 'claims' | 'handler'>,
  wanted: { email: string; for: EmailWanted['data']['for'] },
  intent: Intent,
): Promise<void> {
  const holder = await side.claims.holder('email', wanted.email, intent.deadline)
  if (!holder) return
  const noticeId = randomId()
  const telling: Intent = { ...intent, actor: 'system', key: `${intent.key} is told of` }
  await side.handler.handle(accounts, holder.stream, telling, (account, _revision, now) =>
    noteWantedEmail(account, { for: wanted.for, noticeId, now }),
  )
}
