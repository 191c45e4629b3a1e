import { setMaxListeners } from 'node:events'
import type { Server as NetServer } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js'
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js'
import { append, batchAppend, remove } from './appends.ts'
import type { Leader } from './errors.ts'
import * as errors from './errors.ts'
import { createFaults, type Fault, type Faults, type Operation } from './faults.ts'
import { createLog, type EventLog } from './log.ts'
import type { Node } from './node.ts'
import { read } from './reads.ts'

export type EventStoreDBOptions = {
  /** The log to serve, so that it can outlive a server or be shared by a cluster. */
  log?: EventLog
  port?: number
  /** As the real server's default. */
  maximumAppendBytes?: number
  /** False: a server of before 21.10. */
  hasBatchAppend?: boolean
  /** False: a server of before 23.10. */
  saysCaughtUp?: boolean
  /** Key and certificate, for TLS. */
  tls?: { key: Buffer; certificate: Buffer }
  /** Who may call, under TLS; everybody if left out. */
  credentials?: { username: string; password: string }
  /** Another node that leads while this one follows it; null if this one leads. */
  leader?: () => Leader | null
  /** What gossip tells; this node alone if left out. */
  members?: () => (Leader & { leads: boolean; alive: boolean })[]
}

export type EventStoreDB = {
  url: string
  host: string
  port: number
  log: EventLog
  faults: Faults
  /** Orders a fault; see `faults.ts`. */
  misbehave: Faults['order']
  /** Cuts every connection. */
  dropConnections(): void
  /** Cuts every connection and refuses new ones until `comeUp`. */
  goDown(): Promise<void>
  comeUp(): Promise<void>
  /** How many connections there are. */
  connections(): number
  stop(): Promise<void>
}

const host = '127.0.0.1'
/** Answers to reads come encoded. */
const streamsService = {
  ...StreamsService,
  read: { ...StreamsService.read, responseSerialize: (answer: Buffer) => answer },
}

/**
 * A server that speaks EventStoreDB's protocol as version 24.10 does, as far as appends, reads, `$all`
 * subscriptions, deletes, features and gossip go, with its log in memory, and that misbehaves when told to.
 */
export async function startEventStoreDB(options: EventStoreDBOptions = {}): Promise<EventStoreDB> {
  const { maximumAppendBytes = 1024 * 1024, log = createLog(), tls } = options
  const faults = createFaults()
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const sockets = new Map<number, Socket>()
  let port = options.port ?? 0

  const node: Node = {
    log,
    faults,
    maximumAppendBytes,
    saysCaughtUp: options.saysCaughtUp ?? true,
    stopping: stopping.signal,
    self: () => ({ host, port }),
    leader: () => options.leader?.() ?? null,
    mayCall: metadata => {
      if (!options.credentials) return true
      const { username, password } = options.credentials
      const basic = Buffer.from(`${username}:${password}`).toString('base64')
      return metadata.get('authorization')[0] === `Basic ${basic}`
    },
    cut: call => sockets.get(Number(call.getPeer().split(':').at(-1)))?.destroy(),
  }
  const server = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 })
  server.addService(streamsService, {
    read: read(node),
    append: append(node),
    batchAppend: batchAppend(node),
    delete: remove(node, 'delete'),
    tombstone: remove(node, 'tombstone'),
  })
  server.addService(ServerFeaturesService, {
    getSupportedMethods: (_: unknown, callback: sendUnaryData<unknown>) =>
      faulty(faults.next('features'), node, callback, () => supportedMethods(options.hasBatchAppend ?? true)),
  })
  server.addService(GossipService, {
    read: (_: unknown, callback: sendUnaryData<unknown>) =>
      faulty(faults.next('gossip'), node, callback, () =>
        clusterInfo(options.members?.() ?? [{ host, port, leads: node.leader() === null, alive: true }]),
      ),
  })
  const injector = server.createConnectionInjector(
    tls
      ? ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.certificate }])
      : ServerCredentials.createInsecure(),
  )

  let listener: NetServer | undefined
  async function comeUp(): Promise<void> {
    listener = createServer(socket => {
      const { remotePort = 0 } = socket
      sockets.set(remotePort, socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(remotePort))
      injector.injectConnection(socket)
    })
    port = await listen(listener, port)
  }
  function dropConnections(): void {
    for (const socket of sockets.values()) socket.destroy()
  }
  async function goDown(): Promise<void> {
    const closed = new Promise(resolve => listener?.close(resolve) ?? resolve(undefined))
    dropConnections()
    await closed
    listener = undefined
  }

  await comeUp()
  return {
    get port() {
      return port
    },
    get url() {
      return `esdb://${host}:${port}?tls=${Boolean(tls)}`
    },
    host,
    log,
    faults,
    misbehave: faults.order,
    dropConnections,
    goDown,
    comeUp,
    connections: () => sockets.size,
    async stop() {
      stopping.abort()
      await goDown()
      server.forceShutdown()
      log.restart()
    },
  }
}

function listen(listener: NetServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(port, host, () => {
      const address = listener.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function faulty<T>(fault: Fault | undefined, node: Node, callback: sendUnaryData<T>, answer: () => T): void {
  if (fault === undefined) callback(null, answer())
  else if (fault === 'not-leader') callback(errors.notLeader(node.self()))
  else if (fault === 'access-denied') callback(errors.accessDenied())
  else if (typeof fault === 'object') setTimeout(() => callback(null, answer()), fault.delayMs).unref()
  else if (fault !== 'hang' && fault !== 'ignore' && fault !== 'lose') callback(errors.unavailable())
}

function supportedMethods(hasBatchAppend: boolean) {
  const service = 'event_store.client.streams.streams'
  const names = ['read', 'append', 'delete', 'tombstone', ...(hasBatchAppend ? ['batchappend'] : [])]
  const supported: Record<string, string[]> = {
    read: ['position', 'events'],
    batchappend: ['deadline_duration'],
  }
  return new features.SupportedMethods()
    .setEventStoreServerVersion(hasBatchAppend ? '24.10.4' : '20.10.0')
    .setMethodsList(
      names.map(name =>
        new features.SupportedMethod()
          .setServiceName(service)
          .setMethodName(name)
          .setFeaturesList(supported[name] ?? []),
      ),
    )
}

function clusterInfo(members: (Leader & { leads: boolean; alive: boolean })[]) {
  const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState
  return new gossip.ClusterInfo().setMembersList(
    members.map(({ host, port, leads, alive }) =>
      new gossip.MemberInfo()
        .setInstanceId(new shared.UUID().setString(crypto.randomUUID()))
        .setTimeStamp(String(Date.now()))
        .setState(leads ? LEADER : FOLLOWER)
        .setIsAlive(alive)
        .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port)),
    ),
  )
}

export type { Fault, Operation }
