import type { CommandContext } from '../account/accounts.ts'

/** Begins a command's time: its events bear the request's id, and it gives up at the deadline. */
export type NewContext = (exchange: { requestId: string }) => CommandContext

export function createNewContext(commandTimeoutMs: number): NewContext {
  return ({ requestId }) => ({ requestId, deadline: performance.now() + commandTimeoutMs })
}
