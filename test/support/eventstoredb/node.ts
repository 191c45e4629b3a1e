import type { Metadata } from '@grpc/grpc-js'
import type { Leader } from './errors.ts'
import type { Faults } from './faults.ts'
import type { EventLog } from './log.ts'

/** What the handlers of calls know of the server they belong to. */
export type Node = {
  log: EventLog
  faults: Faults
  maximumAppendBytes: number
  saysCaughtUp: boolean
  /** This node's own address. */
  self(): Leader
  /** Who leads, if this node does not: calls that require the leader are sent there. */
  leader(): Leader | null
  mayCall(metadata: Metadata): boolean
  /** Cuts the connection that a call came over. */
  cut(call: { getPeer(): string }): void
  /** Is aborted when the server stops. */
  stopping: AbortSignal
}

export const requiresLeader = (metadata: Metadata) => metadata.get('requires-leader')[0] === 'true'
