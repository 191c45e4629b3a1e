import { isDeepStrictEqual } from 'node:util'
import type { Revision } from '../event-store/event-store.ts'
import type { Account } from './account.ts'
import { editProfile as decideEdit, requireActive } from './account.ts'
import type { AccessClaims, CommandContext, OwnProfile, ProfileChanges, Written } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError } from './domain-error.ts'
import type { Loaded } from './fold-stream.ts'
import { onceByKey, requireSame } from './once-by-key.ts'
import { type WriteSide, whenVisible } from './write-side.ts'

/**
 * Changes the fields given and leaves the others, whatever else is edited at the same moment. Throws `revision_moved`
 * if the account is at a revision that is not `expected`.
 */
export async function editProfile(
  side: WriteSide,
  claims: AccessClaims,
  changes: ProfileChanges,
  context: CommandContext,
  expected: (revision: Revision) => boolean = () => true,
): Promise<Written<OwnProfile> & { revision: Revision }> {
  const stream = accountStream(claims.userId)
  const command = { name: 'edit profile', actor: claims.userId, aggregate: accounts, stream }

  async function shown({ state, revision }: Loaded<Account>) {
    return { ...(await whenVisible(side, requireActive(state), { stream, revision })), revision }
  }

  return onceByKey(side, command, context, {
    again({ event, before, after }) {
      const decided = decideEdit(before.state, changes)
      requireSame(decided.length === 1 && isDeepStrictEqual(decided[0]?.data, event.data))
      return shown(after)
    },
    async first(intent) {
      const edited = await side.handler.handle(accounts, stream, intent, (account, revision) => {
        if (!expected(revision)) throw new DomainError('revision_moved')
        return decideEdit(account, changes)
      })
      return shown(edited)
    },
  })
}
