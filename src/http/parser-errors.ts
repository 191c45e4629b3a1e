import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { notFound } from './errors.ts'
import type { Answer } from './exchange.ts'
import { fixedHeaders } from './headers.ts'
import { parserAnswer, rawAnswer } from './raw-answer.ts'

/** How long a client may take to read the last answer on a connection. */
const lingerMs = 1000

/**
 * Answers what never becomes a request, or only half of one, in JSON and with an id, as everything else is
 * answered. Returns the listener for requests, around that of the application.
 */
export function answerParserErrors(server: Server, handle: RequestListener, log: Logger): RequestListener {
  const headers = fixedHeaders(['*']).noStore
  const latest = new WeakMap<Duplex, ServerResponse>()
  const finished = new WeakSet<Duplex>()

  function finish(socket: Duplex, answer: Answer): void {
    if (finished.has(socket) || !socket.writable) return
    finished.add(socket)
    const id = randomUUID()
    log.info({ id, method: null, route: null, status: answer.status, ms: 0 })
    socket.end(rawAnswer(answer, headers, id))
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const answer = parserAnswer(error.code)
    const res = latest.get(socket)
    const brokenBody = res !== undefined && !res.req.complete
    if (error.code === 'ECONNRESET' || (brokenBody && res.headersSent)) socket.destroy()
    // The error is in what follows a request whose answer is still to come.
    else if (res && !brokenBody && !res.writableFinished) res.once('finish', () => finish(socket, answer))
    else finish(socket, answer)
  })
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => finish(socket, notFound()))

  return (req, res) => {
    latest.set(req.socket, res)
    if (req.headers.host !== undefined || req.httpVersion !== '1.1') {
      handle(req, res)
      return
    }
    const { status, type, body } = parserAnswer('missing Host')
    const content = ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))]
    res.writeHead(status, [...headers, 'X-Request-Id', randomUUID(), ...content, 'Connection', 'close'])
    res.end(body)
  }
}
