import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect } from 'chai'
import pino from 'pino'
import { type HttpServer, type HttpServerParts, startHttpServer } from '../../src/http/server.ts'
import { eventually } from '../support/eventually.ts'
import { createHttpClient, sendBytes } from '../support/http-client.ts'
import { startServer } from '../support/server.ts'

const host = '127.0.0.1'
const quick = { headers: 100, request: 200, keepAlive: 60_000, silence: 100, checkEvery: 10 }
const head = 'GET / HTTP/1.1\r\nHost: a\r\n'
const postHead = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n'

const answerAtEnd = (): RequestListener => (req, res) => {
  req.resume()
  req.on('end', () => res.end('all of it'))
}

/** Starts a server with a handler and short times, and stops it whatever happens. */
async function withServer(
  createHandler: () => RequestListener,
  use: (server: HttpServer) => Promise<void>,
  parts: Partial<HttpServerParts> = {},
): Promise<void> {
  const log = pino({ level: 'silent' })
  const server = await startHttpServer({ port: 0, host, createHandler, log, timeouts: quick, ...parts })
  try {
    await use(server)
  } finally {
    await server.stop(0)
  }
}

/** Opens a connection, sends one byte after the other, and gives what came back once it was closed. */
async function trickle(port: number, begin: string, forEver: string): Promise<string> {
  const socket = connect(port, host)
  let answer = ''
  socket.on('data', data => {
    answer += String(data)
  })
  socket.on('error', () => {})
  socket.write(begin)
  const dripping = setInterval(() => socket.write(forEver), 10)
  await once(socket, 'close')
  clearInterval(dripping)
  return answer
}

const patient = { timeouts: { ...quick, headers: 60_000, request: 60_000, silence: 60_000 } }

describe('A client that is slow', () => {
  it('with its headers is told so, and cut off', () =>
    withServer(answerAtEnd, async ({ port }) => {
      expect(await trickle(port, head, 'X: x\r\n')).to.match(/^HTTP\/1\.1 408 /)
    }))

  it('with its body is told so, and cut off', () =>
    withServer(answerAtEnd, async ({ port }) => {
      expect(await trickle(port, postHead, 'x')).to.match(/^HTTP\/1\.1 408 /)
    }))

  it('with the chunks of its body is told so, and cut off', () =>
    withServer(answerAtEnd, async ({ port }) => {
      const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
      expect(await trickle(port, chunked, '1\r\nx\r\n')).to.match(/^HTTP\/1\.1 408 /)
    }))

  it('and says nothing at all is cut off', () =>
    withServer(answerAtEnd, async ({ port }) => {
      const socket = connect(port, host)
      socket.resume()
      await once(socket, 'close')
    }))

  it('and does not read its answer is cut off, and the answer is let go', async () => {
    let closed = false
    const large = (): RequestListener => (_req, res) => {
      res.on('close', () => {
        closed = true
      })
      res.end(Buffer.alloc(64 * 1024 * 1024))
    }
    await withServer(large, async ({ port }) => {
      const socket = connect(port, host)
      socket.on('error', () => {})
      socket.write(`${head}\r\n`)
      await eventually(() => expect(closed).to.equal(true))
      socket.destroy()
    })
  })

  it('does not keep others waiting', () =>
    withServer(
      answerAtEnd,
      async ({ port, url }) => {
        const slow = Array.from({ length: 200 }, () => trickle(port, postHead, 'x'))
        const client = createHttpClient(url)
        for (let count = 0; count < 20; count++) {
          expect((await client.post('/', { a: 1 })).text).to.equal('all of it')
        }
        client.close()
        for (const answer of await Promise.all(slow)) expect(answer).to.match(/^HTTP\/1\.1 408 /)
      },
      { timeouts: { ...quick, request: 1500, silence: 60_000 } },
    ))
})

describe('Many connections', () => {
  const open = async (port: number): Promise<Socket> => {
    const socket = connect(port, host)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  it('beyond the most there may be are closed at once, the others go on', () =>
    withServer(
      answerAtEnd,
      async ({ port }) => {
        const first = await open(port)
        first.write(postHead)
        const second = await open(port)
        second.write(head)
        const third = await open(port)
        await once(third.resume(), 'close')
        first.end('x'.repeat(1000))
        const [answer] = await once(first, 'data')
        expect(String(answer)).to.match(/^HTTP\/1\.1 200 /)
        second.destroy()
      },
      { ...patient, maximumConnections: 2 },
    ))

  it('that wait for a next request make room for others', () =>
    withServer(
      answerAtEnd,
      async ({ port }) => {
        const idle = await Promise.all(Array.from({ length: 10 }, () => open(port)))
        const closed = idle.map(socket => once(socket, 'close'))
        for (const socket of idle) {
          socket.write(`${head}\r\n`)
          await once(socket, 'data')
          socket.resume()
        }
        const client = createHttpClient(`http://${host}:${port}`)
        await eventually(async () => {
          expect((await client.get('/').catch(() => ({ text: 'none yet' }))).text).to.equal('all of it')
        })
        client.close()
        await Promise.race(closed)
        for (const socket of idle) socket.destroy()
      },
      { ...patient, maximumConnections: 10 },
    ))
})

describe('What is huge', () => {
  it('is refused before it costs much, and by what it is', async () => {
    const server = await startServer()
    try {
      const { port } = server
      const send = async (text: string) => (await sendBytes(host, port, text)).split('\r\n', 1)[0]
      const close = 'Host: a\r\nConnection: close\r\n'
      for (const [what, request, status] of [
        ['a header', `GET /healthz HTTP/1.1\r\n${close}X: ${'x'.repeat(17_000)}\r\n\r\n`, '431'],
        ['many headers', `GET /healthz HTTP/1.1\r\n${close}${'X: x\r\n'.repeat(9000)}\r\n`, '431'],
        ['a path', `GET /api/users/${'x'.repeat(17_000)}/ HTTP/1.1\r\n${close}\r\n`, '431'],
        ['a long path', `GET /api/users/${'x'.repeat(15_000)}/ HTTP/1.1\r\n${close}\r\n`, '404'],
        ['a deep path', `GET ${'/x'.repeat(7500)} HTTP/1.1\r\n${close}\r\n`, '404'],
        ['a long query', `GET /api/users/?query=${'x'.repeat(15_000)} HTTP/1.1\r\n${close}\r\n`, '200'],
        ['many parameters', `GET /api/users/?${'a&'.repeat(7500)} HTTP/1.1\r\n${close}\r\n`, '200'],
        [
          'a body',
          `POST /api/token/obtain/ HTTP/1.1\r\n${close}Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`,
          '413',
        ],
      ] as const) {
        expect(await send(request), what).to.contain(` ${status} `)
      }
    } finally {
      await server.stop()
    }
  })
})
