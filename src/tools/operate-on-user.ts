import { randomUUID } from 'node:crypto'
import { createClaims } from '../account/claims.ts'
import { DomainError, Overloaded } from '../account/domain-error.ts'
import { createHandler } from '../account/handle.ts'
import type { Operating, OperatorIntent } from '../account/operate.ts'
import type { Config } from '../config.ts'
import { readIdentity } from '../event-store/log-identity.ts'
import { openExistingEventStore, withStore } from '../open-stores.ts'
import { findUser } from './find-user.ts'
import { exitCodes, ToolFailure } from './shell.ts'

/** Does something to a user. False: it was so already. */
export type OperateOn = (
  side: Operating,
  userId: number,
  intent: OperatorIntent,
  config: Config,
) => Promise<boolean>

const patienceMs = 30_000

/**
 * Finds a user by name or id and operates on the account, in the log alone: a service that runs on it sees it at once.
 * Throws ToolFailure where it cannot be done, and StoreUnavailable.
 */
export async function operateOnUser(
  config: Config,
  nameOrId: string,
  act: OperateOn,
): Promise<{ userId: number; changed: boolean }> {
  return withStore(openExistingEventStore(config), async store => {
    const { userId } = await findUser(store, nameOrId)
    const identity = await readIdentity(store)
    if (!identity)
      throw new ToolFailure(exitCodes.difference, 'expected a log with a name of its own, found none')
    const now = Date.now
    const handler = createHandler({ store, now, cachedStreams: 100 })
    const claims = createClaims({ store, handler, namesKey: identity.namesKey, now })
    const intent = { requestId: `roster-user-${randomUUID()}`, deadline: performance.now() + patienceMs }
    try {
      return { userId, changed: await act({ claims, handler, now }, userId, intent, config) }
    } catch (error) {
      throw refusal(error, nameOrId)
    }
  })
}

function refusal(error: unknown, who: string): unknown {
  if (error instanceof Overloaded) return new ToolFailure(exitCodes.unreachable, error.message)
  if (!(error instanceof DomainError)) return error
  const said = (message: string) => new ToolFailure(exitCodes.difference, message, { cause: error })
  if (error.code === 'account_gone') return said(`expected ${who} to have an account in use, found none`)
  if (error.code === 'email_unknown') return said(`expected ${who} to have an e-mail address, found none`)
  if (error.code === 'invalid_fields') return said('the e-mail address is somebody else’s')
  return error
}
