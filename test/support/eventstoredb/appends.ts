import { setTimeout as pause } from 'node:timers/promises'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type { Status } from '@eventstore/db-client/generated/status_pb.js'
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  DeleteReq,
  DeleteResp,
} from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerDuplexStream, ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import * as errors from './errors.ts'
import * as log from './log.ts'
import { identifierOf, streamName, uuidText } from './messages.ts'
import { type Node, requiresLeader } from './node.ts'

type ProposedMessage = AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage
type Pending = {
  stream: string
  expected: bigint
  events: log.Proposed[]
  bytes: number
  request: BatchAppendReq
}

function proposed(message: ProposedMessage): log.Proposed {
  const type = message.getMetadataMap().get('type')
  const contentType = message.getMetadataMap().get('content-type')
  if (!type || contentType === undefined) throw new Error('Required Metadata Property is missing')
  return {
    id: uuidText(message.getId()),
    type,
    isJson: contentType === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }
}

const sizeOf = ({ type, data, metadata }: log.Proposed) => data.length + metadata.length + 2 * type.length

type Expectation = { hasAny(): boolean; hasNoStream(): boolean; hasStreamExists(): boolean }
function expectedOf(options: Expectation | undefined, revision: string | undefined): bigint {
  if (options?.hasAny()) return log.any
  if (options?.hasNoStream()) return log.noStream
  if (options?.hasStreamExists()) return log.streamExists
  return BigInt(revision ?? 0)
}

/** Many appends over one call, each with its own answer, in any order. */
export function batchAppend(node: Node) {
  return (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
    if (!node.mayCall(call.metadata)) return void call.emit('error', errors.accessDenied())
    const pending = new Map<string, Pending>()
    let silent = false
    const fail = (error: Error) => void call.emit('error', error)

    function refuse(request: BatchAppendReq, stream: string, status: Status): void {
      pending.delete(uuidText(request.getCorrelationId()))
      answer(new streams.BatchAppendResp().setError(status), request, stream)
    }

    function answer(response: BatchAppendResp, request: BatchAppendReq, stream: string): void {
      if (silent || call.destroyed || call.writableEnded) return
      call.write(
        response.setCorrelationId(request.getCorrelationId()).setStreamIdentifier(identifierOf(stream)),
      )
    }

    function receive(request: BatchAppendReq) {
      const id = uuidText(request.getCorrelationId())
      const options = request.getOptions()
      if (options) {
        const stream = streamName(options.getStreamIdentifier())
        const deadline = options.getDeadline()?.toDate()
        if (deadline && deadline.getTime() <= Date.now()) {
          return refuse(request, stream, errors.refusals.timeout())
        }
        const expected = expectedOf(options, options.getStreamPosition())
        pending.set(id, { stream, expected, events: [], bytes: 0, request })
      }
      const append = pending.get(id)
      if (!append) return
      try {
        for (const message of request.getProposedMessagesList()) append.events.push(proposed(message))
      } catch (error) {
        return refuse(request, append.stream, errors.refusals.badRequest(String(error)))
      }
      append.bytes = append.events.reduce((bytes, event) => bytes + sizeOf(event), 0)
      if (append.bytes > node.maximumAppendBytes) {
        return refuse(request, append.stream, errors.refusals.tooLarge(node.maximumAppendBytes))
      }
      if (!request.getIsFinal()) return
      pending.delete(id)
      void commit(append)
    }

    async function commit({ stream, events, expected, request }: Pending): Promise<void> {
      const leader = node.leader()
      if (leader && requiresLeader(call.metadata)) return fail(errors.notLeader(leader))
      const fault = node.faults.next('append')
      if (typeof fault === 'object') await pause(fault.delayMs, undefined, { ref: false })
      if (fault === 'ignore' || silent) return
      if (fault === 'hang') silent = true
      if (fault === 'unavailable') return fail(errors.unavailable())
      if (fault === 'not-leader') return fail(errors.notLeader(node.self()))
      if (fault === 'end') return void call.end()
      if (fault === 'drop') return node.cut(call)
      if (fault === 'not-ready') return refuse(request, stream, errors.refusals.notReady())
      if (fault === 'access-denied') return refuse(request, stream, errors.refusals.accessDenied())
      if (silent) return
      const result = node.log.append(stream, events, expected)
      if (fault === 'lose') return
      if (fault === 'lose-then-drop') return node.cut(call)
      if (fault === 'timeout') return refuse(request, stream, errors.refusals.timeout())
      if (result.outcome === 'conflict') {
        return refuse(request, stream, errors.refusals.conflict(result.actual, expected))
      }
      if (result.outcome === 'deleted') return refuse(request, stream, errors.refusals.deleted(stream))
      const success = new streams.BatchAppendResp.Success()
        .setCurrentRevision(result.revision.toString())
        .setPosition(
          new shared.AllStreamPosition()
            .setCommitPosition(result.position.toString())
            .setPreparePosition(result.position.toString()),
        )
      answer(new streams.BatchAppendResp().setSuccess(success), request, stream)
    }

    call.on('data', receive)
    call.on('end', () => call.end())
    call.on('error', () => {})
  }
}

/** One append over a call of its own, as clients do it for servers that know no better or with credentials. */
export function append(node: Node) {
  return (call: ServerReadableStream<AppendReq, AppendResp>, callback: sendUnaryData<AppendResp>): void => {
    const events: log.Proposed[] = []
    let options: AppendReq.Options | undefined
    call.on('error', () => {})
    call.on('data', (request: AppendReq) => {
      options ??= request.getOptions()
      const message = request.getProposedMessage()
      if (message) events.push(proposed(message))
    })
    call.on('end', async () => {
      const stream = streamName(options?.getStreamIdentifier())
      const expected = expectedOf(options, options?.getRevision())
      const leader = node.leader()
      if (!node.mayCall(call.metadata)) return callback(errors.accessDenied())
      if (leader && requiresLeader(call.metadata)) return callback(errors.notLeader(leader))
      if (events.reduce((bytes, event) => bytes + sizeOf(event), 0) > node.maximumAppendBytes) {
        return callback(errors.appendTooLarge(node.maximumAppendBytes))
      }
      const fault = node.faults.next('append')
      if (typeof fault === 'object') await pause(fault.delayMs, undefined, { ref: false })
      if (fault === 'hang' || fault === 'ignore') return
      if (fault === 'unavailable' || fault === 'not-ready' || fault === 'end') {
        return callback(errors.unavailable())
      }
      if (fault === 'not-leader') return callback(errors.notLeader(node.self()))
      if (fault === 'access-denied') return callback(errors.accessDenied())
      if (fault === 'drop') return node.cut(call)
      const result = node.log.append(stream, events, expected)
      if (fault === 'lose') return
      if (fault === 'lose-then-drop') return node.cut(call)
      if (fault === 'timeout') return callback(errors.timeout())
      if (result.outcome === 'deleted') return callback(errors.streamDeleted(stream))
      callback(null, result.outcome === 'conflict' ? conflict(result.actual, expected) : success(result))
    })
  }
}

function success({ revision, position }: log.Appended): AppendResp {
  return new streams.AppendResp().setSuccess(
    new streams.AppendResp.Success()
      .setCurrentRevision(revision.toString())
      .setPosition(
        new streams.AppendResp.Position()
          .setCommitPosition(position.toString())
          .setPreparePosition(position.toString()),
      ),
  )
}

function conflict(actual: bigint, expected: bigint): AppendResp {
  const message = new streams.AppendResp.WrongExpectedVersion()
  if (actual === log.noStream) message.setCurrentNoStream(new shared.Empty())
  else message.setCurrentRevision(actual.toString())
  if (expected === log.any) message.setExpectedAny(new shared.Empty())
  else if (expected === log.noStream) message.setExpectedNoStream(new shared.Empty())
  else if (expected === log.streamExists) message.setExpectedStreamExists(new shared.Empty())
  else message.setExpectedRevision(expected.toString())
  return new streams.AppendResp().setWrongExpectedVersion(message)
}

/** Soft delete and tombstone: the messages have the same fields, and tombstones only a name of their own. */
export function remove(node: Node, how: 'delete' | 'tombstone') {
  return (call: ServerUnaryCall<DeleteReq, DeleteResp>, callback: sendUnaryData<DeleteResp>) => {
    const options = call.request.getOptions()
    const stream = streamName(options?.getStreamIdentifier())
    const expected = expectedOf(options, options?.getRevision())
    const leader = node.leader()
    if (!node.mayCall(call.metadata)) return callback(errors.accessDenied())
    if (leader && requiresLeader(call.metadata)) return callback(errors.notLeader(leader))
    const result = node.log.remove(stream, expected, how)
    if (result.outcome === 'deleted') return callback(errors.streamDeleted(stream))
    if (result.outcome === 'conflict') {
      return callback(errors.wrongExpectedVersion('Delete', stream, expected, result.actual))
    }
    const position = result.position.toString()
    const [response, place] =
      how === 'delete'
        ? [new streams.DeleteResp(), new streams.DeleteResp.Position()]
        : [new streams.TombstoneResp(), new streams.TombstoneResp.Position()]
    callback(null, response.setPosition(place.setCommitPosition(position).setPreparePosition(position)))
  }
}
