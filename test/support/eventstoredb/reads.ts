import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerWritableStream } from '@grpc/grpc-js'
import * as errors from './errors.ts'
import type { Fault } from './faults.ts'
import { filterOf, placeFrom, readAnswer, streamName } from './messages.ts'
import { type Node, requiresLeader } from './node.ts'
import { InvalidPosition, type ReadResponse, readAll, readStream } from './read.ts'
import { hasNothingAfter, subscribeToAll } from './subscription.ts'

/** Its answers are encoded already. */
type Call = ServerWritableStream<ReadReq, Buffer>

/** Reads of a stream and of `$all`, and subscriptions to `$all`: all one call. */
export function read(node: Node) {
  return (call: Call): void => {
    const ended = new AbortController()
    const end = () => ended.abort()
    call.on('cancelled', end)
    call.on('close', end)
    call.on('error', end)
    node.stopping.addEventListener('abort', end, { signal: ended.signal })
    serve(node, call, ended.signal).catch(error =>
      call.emit('error', error instanceof InvalidPosition ? errors.invalidPosition() : error),
    )
  }
}

async function serve(node: Node, call: Call, signal: AbortSignal): Promise<void> {
  const options = call.request.getOptions()
  if (!options) throw errors.invalidPosition()
  if (!node.mayCall(call.metadata)) throw errors.accessDenied()
  const operation = options.hasSubscription() ? 'subscription' : 'read'
  const readsNothing = operation === 'subscription' && hasNothingAfter(node.log, placeFrom(options))
  const leader = node.leader()
  if (leader && requiresLeader(call.metadata) && !readsNothing) throw errors.notLeader(leader)
  const stream = streamName(options.getStream()?.getStreamIdentifier())

  if (operation === 'read' && (await commit(node, call, node.faults.next('read'))) === 'stop') return
  for await (const response of responses(node, options, signal)) {
    if (signal.aborted) return
    if (response.is === 'caught-up' && !node.saysCaughtUp) continue
    const fault = operation === 'subscription' ? node.faults.next(operation) : undefined
    if (fault && (await commit(node, call, fault)) === 'stop') return
    if (response.is === 'stream-deleted') throw errors.streamDeleted(stream)
    if (!call.write(readAnswer(response, stream))) await once(call, 'drain', { signal }).catch(() => {})
    if (fault === 'send-then-end') break
  }
  call.end()
}

async function commit(node: Node, call: Call, fault: Fault | undefined): Promise<'stop' | 'go on'> {
  if (typeof fault === 'object') await pause(fault.delayMs, undefined, { ref: false })
  switch (fault) {
    case 'unavailable':
    case 'not-ready':
      throw errors.unavailable()
    case 'not-leader':
      throw errors.notLeader(node.self())
    case 'access-denied':
      throw errors.accessDenied()
    case 'timeout':
      throw errors.timeout()
    case 'end':
      call.end()
      return 'stop'
    case 'drop':
    case 'lose-then-drop':
      node.cut(call)
      return 'stop'
    case 'hang':
    case 'ignore':
    case 'lose':
      return 'stop'
    default:
      return 'go on'
  }
}

function responses(
  node: Node,
  options: ReadReq.Options,
  signal: AbortSignal,
): Iterable<ReadResponse> | AsyncIterable<ReadResponse> {
  const resolveLinks = options.getResolveLinks()
  const filter = filterOf(options)
  const from = placeFrom(options)
  const count = BigInt(options.getCount())
  const direction = options.getReadDirection() === 0 ? 'forwards' : 'backwards'
  const ofStream = options.getStream()
  if (options.hasSubscription()) {
    if (ofStream) throw errors.unsupported('subscriptions to a single stream')
    const window = options.getFilter()?.getMax() || 32
    const checkpointInterval = window * (options.getFilter()?.getCheckpointintervalmultiplier() ?? 1)
    return subscribeToAll(node.log, { from, filter, window, checkpointInterval, resolveLinks }, signal)
  }
  if (!ofStream) return readAll(node.log, { from, direction, count, filter, resolveLinks })
  const revision = ofStream.hasStart() ? 'start' : ofStream.hasEnd() ? 'end' : BigInt(ofStream.getRevision())
  const stream = streamName(ofStream.getStreamIdentifier())
  return readStream(node.log, { stream, from: revision, direction, count, resolveLinks })
}
