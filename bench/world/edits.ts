import { accountStream } from '../../src/account/aggregates.ts'
import type { ProfileEdited } from '../../src/account/events.ts'
import { createHandler } from '../../src/account/handle.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import type { SeededUser } from '../../src/tools/seed.ts'
import { eachAtOnce } from './each-at-once.ts'

/** Appends so many edits to each user's stream, right after the registration. */
export async function editProfiles(
  store: EventStore,
  users: readonly SeededUser[],
  editsEach: number,
): Promise<void> {
  const handler = createHandler({ store, now: Date.now, cachedStreams: 1 })
  await eachAtOnce(users, async ({ userId }) => {
    for (let edit = 1; edit <= editsEach; edit++) {
      const event: ProfileEdited = { type: 'ProfileEdited', data: { bio: bioAfter(edit) } }
      const intent = {
        key: `edit ${edit}`,
        actor: userId,
        requestId: `edit-${userId}-${edit}`,
        deadline: Infinity,
      }
      await handler.appendAt(accountStream(userId), event, BigInt(edit - 1), '', intent)
    }
  })
}

export function bioAfter(edit: number): string {
  return `This is what I say of myself after ${edit} edits, and I will change it again.`
}
