import type { IncomingMessage } from 'node:http'
import type { CommandContext } from '../account/accounts.ts'
import { idempotencyKeyOf } from './idempotency-key.ts'

/** Begins the time of a look at accounts, or of a command: its events bear the request's id, and it has a deadline. */
export type NewContext = (exchange: { requestId: string; req: IncomingMessage }) => CommandContext

export function createNewContext(commandTimeoutMs: number): NewContext {
  return ({ requestId }) => ({ requestId, deadline: performance.now() + commandTimeoutMs })
}

/** The same for commands that can be repeated by their key. Throws Refusal if that is malformed. */
export function createNewCommand(newContext: NewContext): NewContext {
  return exchange => {
    const idempotencyKey = idempotencyKeyOf(exchange.req)
    const context = newContext(exchange)
    return idempotencyKey === undefined ? context : { ...context, idempotencyKey }
  }
}
