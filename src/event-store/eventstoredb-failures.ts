import {
  AccessDeniedError,
  InvalidArgumentError,
  isCommandError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  UnknownError,
  UnsupportedError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { EventTooLarge, noStream, RevisionConflict, StoreUnavailable } from './event-store.ts'

// gRPC status codes
const cancelled = 1
const invalidArgument = 3
const permissionDenied = 7
const unauthenticated = 16

/** No waiting will mend it: credentials or the request itself are refused. */
export function isFatal(error: unknown): boolean {
  if (error instanceof AccessDeniedError || error instanceof UnsupportedError) return true
  if (error instanceof InvalidArgumentError) return true
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === invalidArgument || code === permissionDenied || code === unauthenticated
}

/** Where reading was to go on no record begins. */
export function isInvalidPosition(error: unknown): boolean {
  return error instanceof Error && error.message.includes('invalid position')
}

/**
 * What an error says of the client it came from. `stale`: it may go on for ever with a node, or a search for one, that
 * is of no use: an UnknownError is how it takes "not ready", and what it does not know it has made itself. `unrelated`:
 * another client of this process was closed, which ends the appends of all.
 */
export function bearing(error: unknown): 'answered' | 'stale' | 'unrelated' {
  if (isFatal(error)) return 'answered'
  if (!(error instanceof Error && isCommandError(error))) return 'stale'
  if (!(error instanceof UnknownError)) return 'answered'
  return error.code === cancelled ? 'unrelated' : 'stale'
}

/** One line on what went wrong. Errors of the client carry no credentials in their message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return [error.name === 'Error' ? error.constructor.name : error.name, error.message]
    .filter(Boolean)
    .join(': ')
}

/** An attempted append, as errors tell of it. */
export type Attempted = { stream: string; expected: bigint; bytes: number }

/** What the server said of an append for good, in the words of the port; null if it may still come about. */
export function refusal(error: unknown, { stream, expected, bytes }: Attempted): Error | null {
  if (error instanceof WrongExpectedVersionError) {
    const { actualVersion } = error
    return new RevisionConflict(
      stream,
      expected,
      typeof actualVersion === 'bigint' ? actualVersion : noStream,
    )
  }
  if (error instanceof MaxAppendSizeExceededError) {
    return new EventTooLarge(stream, bytes, error.maxAppendSize)
  }
  if (error instanceof Error && error.message.includes('MaximumAppendEventSizeExceeded')) {
    return new EventTooLarge(stream, bytes, bytes - 1)
  }
  if (error instanceof StreamDeletedError) {
    return new Error(`stream ${stream} was tombstoned: it takes no event any more`)
  }
  return isFatal(error) ? new StoreUnavailable(`append to ${stream} refused: ${describe(error)}`) : null
}
