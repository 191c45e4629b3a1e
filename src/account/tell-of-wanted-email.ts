import { noteWantedEmail } from './account.ts'
import { accounts } from './aggregates.ts'
import type { Intent } from './handle.ts'
import { randomId, type WriteSide } from './write-side.ts'

/** Lets the owner of an address know that somebody registered with it, who is not told that it is taken. */
export async function tellOfWantedEmail(
  side: Pick<WriteSide, 'claims' | 'handler'>,
  email: string,
  intent: Intent,
): Promise<void> {
  const holder = await side.claims.holder('email', email, intent.deadline)
  if (!holder) return
  const noticeId = randomId()
  const telling: Intent = { ...intent, actor: 'system', key: `${intent.key} is told of` }
  await side.handler.handle(accounts, holder.stream, telling, (account, _revision, now) =>
    noteWantedEmail(account, { for: 'registration', noticeId, now }),
  )
}
