import { editProfile as decideEdit, requireActive } from './account.ts'
import type { AccessClaims, CommandContext, OwnProfile, ProfileChanges, Written } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { intentOf, type WriteSide, whenVisible } from './write-side.ts'

/** Changes the fields given and leaves the others, whatever else is edited at the same moment. */
export async function editProfile(
  side: WriteSide,
  claims: AccessClaims,
  changes: ProfileChanges,
  context: CommandContext,
): Promise<Written<OwnProfile>> {
  const stream = accountStream(claims.userId)
  const intent = intentOf('edit profile', claims.userId, context)
  const edited = await side.handler.handle(accounts, stream, intent, account => decideEdit(account, changes))
  return whenVisible(side, requireActive(edited.state), { stream, revision: edited.revision })
}
