import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Logger } from 'pino'
import { oneAtATime } from './one-at-a-time.ts'
import { answerParserErrors } from './parser-errors.ts'

/**
 * Milliseconds. `request` is for a whole request with its body, `keepAlive` for the pause before the next one, `silence`
 * for a client that neither sends nor reads while a request is worked on.
 */
export type Timeouts = {
  headers: number
  request: number
  keepAlive: number
  silence: number
  checkEvery: number
}

// A proxy in front usually keeps idle connections for 60 s: ours must be the longer wait.
const defaultTimeouts: Timeouts = {
  headers: 15_000,
  request: 30_000,
  keepAlive: 65_000,
  silence: 30_000,
  checkEvery: 5_000,
}
/** Of the request line and all headers together. */
const maximumHeaderBytes = 16 * 1024
/** Each takes a file handle, and some memory. */
const defaultConnections = 20_000
/** From this share of them on, those that wait for a next request make room for others. */
const crowded = 0.9
const warnEveryMs = 60_000

export type HttpServer = {
  url: string
  port: number
  /** Lets running requests finish, for at most `graceMs`; connections without one are closed at once. */
  stop(graceMs: number): Promise<void>
}

/** An address cannot be listened on; the message says which one and why. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
  readonly code: string
  constructor(host: string, port: number, error: NodeJS.ErrnoException) {
    const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message
    super(`cannot listen on ${host}:${port}: ${reason}`, { cause: error })
    this.code = error.code ?? ''
  }
}

export type HttpServerParts = {
  port: number
  host: string
  /** `isStopping`: whether an answer is to close its connection. */
  createHandler(isStopping: () => boolean): RequestListener
  log: Logger
  timeouts?: Partial<Timeouts>
  /** How many there may be at once; further ones are closed at once. */
  maximumConnections?: number
}

/** Listens and hands requests to a handler. Throws CannotListen. */
export async function startHttpServer({
  port,
  host,
  createHandler,
  log,
  ...parts
}: HttpServerParts): Promise<HttpServer> {
  const timeouts = { ...defaultTimeouts, ...parts.timeouts }
  const server = createServer({
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionsCheckingInterval: timeouts.checkEvery,
    maxHeaderSize: maximumHeaderBytes,
    // Node's own answer to a missing one is not JSON.
    requireHostHeader: false,
  })
  server.timeout = timeouts.silence
  server.maxConnections = parts.maximumConnections ?? defaultConnections
  let stopping = false
  const onRequest = answerParserErrors(server, oneAtATime(createHandler(() => stopping)), log)
  server.on('request', onRequest)
  // The body's reader asks for it to be sent: a body that is refused anyway never is.
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', onRequest)
  const sockets = trackSockets(server)
  makeRoom(server, sockets, log)
  const address = await listen(server, host, port)
  server.on('error', error => log.error({ err: error }, 'the HTTP server met an error'))
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    port: address.port,
    async stop(graceMs) {
      stopping = true
      await close(server, sockets, graceMs)
    },
  }
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** Keeps a crowd of connections from shutting others out for longer than needs be, and tells of those turned away. */
function makeRoom(server: Server, sockets: ReadonlySet<Socket>, log: Logger): void {
  let warnedAt = Number.NEGATIVE_INFINITY
  server.on('connection', () => {
    if (sockets.size > server.maxConnections * crowded) server.closeIdleConnections()
  })
  server.on('drop', () => {
    server.closeIdleConnections()
    if (performance.now() - warnedAt < warnEveryMs) return
    warnedAt = performance.now()
    log.warn({ connections: sockets.size }, 'too many connections: further ones are closed at once')
  })
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new CannotListen(host, port, error)))
    server.listen(port, host, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('expected an IP address'))
      else resolve(address)
    })
  })
}

async function close(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  // Node does not count a connection as idle before its first request.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  // An answer under way may have been begun before the stop, and so leave its connection open.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const giveUp = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(sweep)
  clearTimeout(giveUp)
}
