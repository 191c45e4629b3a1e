import { accountStream } from '../account/aggregates.ts'
import { createClaims } from '../account/claims.ts'
import { createHandler } from '../account/handle.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { readIdentity } from '../event-store/log-identity.ts'
import { exitCodes, ToolFailure } from './shell.ts'

const patienceMs = 10_000

/**
 * The user whose name or id this is, found in the log: a number is an id, as in the API. An id is found if its stream
 * was ever written, whatever became of the user. Throws ToolFailure if there is none.
 */
export async function findUser(
  store: EventStore,
  nameOrId: string,
): Promise<{ userId: number; stream: string }> {
  const deadline = performance.now() + patienceMs
  const nobody = () => new ToolFailure(exitCodes.difference, `expected a user ${nameOrId}, found none`)
  if (/^\d+$/.test(nameOrId)) {
    const userId = Number(nameOrId)
    const stream = accountStream(userId)
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1, deadline })
    if (!last) throw nobody()
    return { userId, stream }
  }
  const identity = await readIdentity(store)
  if (!identity) throw nobody()
  const { namesKey } = identity
  const handler = createHandler({ store, now: Date.now, cachedStreams: 1 })
  const claims = createClaims({ store, handler, namesKey, now: Date.now })
  const holder = await claims.holder('username', nameOrId, deadline)
  if (!holder) throw nobody()
  const { userId } = holder.account
  return { userId, stream: accountStream(userId) }
}
