import shared from '@eventstore/db-client/generated/shared_pb.js'
import type { Status } from '@eventstore/db-client/generated/status_pb.js'
import statusMessages from '@eventstore/db-client/generated/status_pb.js'
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import anyMessages from 'google-protobuf/google/protobuf/any_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import { any, noStream, streamExists } from './log.ts'
import { identifierOf } from './messages.ts'

export type Leader = { host: string; port: number }

/** An error as the server ends a call with it: a status, and trailers by which clients know it. */
export function rpcError(code: status, details: string, trailers: Record<string, string> = {}): ServiceError {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value)
  return Object.assign(new Error(details), { code, details, metadata })
}

export const unavailable = () => rpcError(status.UNAVAILABLE, 'Server Is Not Ready')
export const accessDenied = () =>
  rpcError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' })
export const notLeader = ({ host, port }: Leader) =>
  rpcError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  })
export const streamDeleted = (stream: string) =>
  rpcError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  })
export const wrongExpectedVersion = (operation: string, stream: string, expected: bigint, actual: bigint) =>
  rpcError(
    status.FAILED_PRECONDITION,
    `${operation} failed due to WrongExpectedVersion. Stream: ${stream}, ` +
      `Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  )
export const appendTooLarge = (maximum: number) =>
  rpcError(status.INVALID_ARGUMENT, `Maximum Append Size of ${maximum} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maximum),
  })
export const timeout = () => rpcError(status.ABORTED, 'Operation timed out: Prepare phase timeout.')
export const unsupported = (what: string) => rpcError(status.UNIMPLEMENTED, `This test server has no ${what}`)
export const invalidPosition = () =>
  rpcError(status.INVALID_ARGUMENT, 'Trying to read from an invalid position.')

// google.rpc.Code, in answers to single appends of a batch
const code = { ok: 0, unknown: 2, invalidArgument: 3, deadline: 4, notFound: 5, alreadyExists: 6, denied: 7 }

function statusOf(number: number, message: string, type?: string, details?: Uint8Array): Status {
  const packed = new anyMessages.Any()
  if (type && details) packed.pack(details, type)
  else packed.pack(new empty.Empty().serializeBinary(), 'google.protobuf.Empty')
  return new statusMessages.Status().setCode(number).setMessage(message).setDetails(packed)
}

/** How one append of a batch is refused. */
export const refusals = {
  conflict(actual: bigint, expected: bigint): Status {
    const details = new shared.WrongExpectedVersion()
    const nothing = new empty.Empty()
    if (actual === noStream) details.setCurrentNoStream(nothing)
    else details.setCurrentStreamRevision(actual.toString())
    if (expected === any) details.setExpectedAny(nothing)
    else if (expected === noStream) details.setExpectedNoStream(nothing)
    else if (expected === streamExists) details.setExpectedStreamExists(nothing)
    else details.setExpectedStreamPosition(expected.toString())
    const type = 'event_store.client.WrongExpectedVersion'
    return statusOf(code.alreadyExists, 'WrongExpectedVersion', type, details.serializeBinary())
  },
  deleted(stream: string): Status {
    const details = new shared.StreamDeleted().setStreamIdentifier(identifierOf(stream)).serializeBinary()
    return statusOf(code.notFound, 'StreamDeleted', 'event_store.client.StreamDeleted', details)
  },
  tooLarge(maximum: number): Status {
    const details = new shared.MaximumAppendSizeExceeded().setMaxappendsize(maximum).serializeBinary()
    const type = 'event_store.client.MaximumAppendSizeExceeded'
    return statusOf(code.invalidArgument, 'MaximumAppendSizeExceeded', type, details)
  },
  timeout: (): Status =>
    statusOf(code.deadline, 'Timeout', 'event_store.client.Timeout', new shared.Timeout().serializeBinary()),
  accessDenied: (): Status =>
    statusOf(
      code.denied,
      'AccessDenied',
      'event_store.client.AccessDenied',
      new shared.AccessDenied().serializeBinary(),
    ),
  badRequest: (message: string): Status =>
    statusOf(
      code.invalidArgument,
      'BadRequest',
      'event_store.client.BadRequest',
      new shared.BadRequest().setMessage(message).serializeBinary(),
    ),
  notReady: (): Status => statusOf(code.ok, 'Server Is Not Ready'),
}
