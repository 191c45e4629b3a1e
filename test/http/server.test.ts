import { once } from 'node:events'
import type { RequestListener, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import pino from 'pino'
import { CannotListen, type HttpServer, startHttpServer, type Timeouts } from '../../src/http/server.ts'
import { eventually } from '../support/eventually.ts'
import { createHttpClient, sendBytes } from '../support/http-client.ts'

const host = '127.0.0.1'
const log = pino({ level: 'silent' })

/** Starts a server, and stops it whatever happens. */
async function withServer(
  createHandler: (isStopping: () => boolean) => RequestListener,
  use: (server: HttpServer) => Promise<void>,
  timeouts: Partial<Timeouts> = {},
): Promise<void> {
  const server = await startHttpServer({ port: 0, host, createHandler, log, timeouts })
  try {
    await use(server)
  } finally {
    await server.stop(0)
  }
}

const hello = (): RequestListener => (_req, res) => res.end('hello')

/** A handler that waits for its body, as one that parses it does. */
const echo = (): RequestListener => async (req, res) => {
  try {
    for await (const chunk of req) res.write(chunk)
    res.end()
  } catch {
    res.destroy()
  }
}

/** The status line of each answer, in a text of whole answers. */
const statusLines = (text: string) => text.match(/HTTP\/1\.1 \d.*/g)

describe('what never becomes a request', () => {
  for (const [what, bytes, status, detail] of [
    ['no HTTP at all', 'HELLO\r\n\r\n', '400 Bad Request', 'Malformed request.'],
    [
      'a bad header',
      'GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n',
      '400 Bad Request',
      'Malformed request.',
    ],
    [
      'NUL in a header',
      'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
      '400 Bad Request',
      'Malformed request.',
    ],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', '400 Bad Request', 'Malformed request.'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', '400 Bad Request', 'Malformed request.'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      '400 Bad Request',
      'Malformed request.',
    ],
    [
      'length and chunks at once',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      '400 Bad Request',
      'Malformed request.',
    ],
    [
      'too many headers',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'Request header fields too large.',
    ],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', '404 Not Found', 'Not found.'],
  ] as const) {
    it(`is answered in JSON, with an id, and the connection closed: ${what}`, () =>
      withServer(hello, async ({ port }) => {
        const text = await sendBytes(host, port, bytes)
        expect(statusLines(text)).to.deep.equal([`HTTP/1.1 ${status}`])
        expect(text).to.match(/^x-request-id: [0-9a-f-]{36}\r$/im)
        expect(text).to.match(/^content-type: application\/json\r$/im)
        expect(text).to.match(/^connection: close\r$/im)
        expect(text).to.match(/^x-content-type-options: nosniff\r$/im)
        expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).to.deep.equal({ detail })
      }))
  }

  it('is answered with 408 if it takes too long', () =>
    withServer(
      hello,
      async ({ port }) => {
        const text = await sendBytes(host, port, 'GET / HTTP/1.1\r\nHost: a\r\n')
        expect(statusLines(text)).to.deep.equal(['HTTP/1.1 408 Request Timeout'])
        expect(text)
          .to.contain('{"detail":"Request timed out."}')
          .and.to.match(/^x-request-id: /im)
      },
      { headers: 50, request: 50, checkEvery: 10 },
    ))

  it('is answered once if the body breaks off', () =>
    withServer(echo, async ({ port }) => {
      const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
      const text = await sendBytes(host, port, `${head}zz\r\n`)
      expect(statusLines(text)).to.deep.equal(['HTTP/1.1 400 Bad Request'])
    }))

  it('does not take the answer of the request before it', () =>
    withServer(
      () => (_req, res) => setTimeout(() => res.end('hello'), 20),
      async ({ port }) => {
        const text = await sendBytes(host, port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n')
        expect(statusLines(text)).to.deep.equal(['HTTP/1.1 200 OK', 'HTTP/1.1 400 Bad Request'])
      },
    ))

  it('does not hinder others', () =>
    withServer(hello, async ({ port, url }) => {
      await sendBytes(host, port, 'GARBAGE\r\n\r\n')
      const client = createHttpClient(url)
      expect((await client.get('/')).text).to.equal('hello')
      client.close()
    }))
})

describe('an unknown expectation', () => {
  it('is passed over', () =>
    withServer(hello, async ({ url }) => {
      const client = createHttpClient(url)
      expect((await client.get('/', { Expect: 'wonders' })).status).to.equal(200)
      client.close()
    }))
})

describe('listening', () => {
  it('says which port is in use', () =>
    withServer(hello, async ({ port }) => {
      const second = startHttpServer({ port, host, createHandler: hello, log })
      const error = await second.then(
        () => null,
        (thrown: unknown) => thrown,
      )
      expect(error).to.be.an.instanceOf(CannotListen)
      expect(error).to.have.property('message', `cannot listen on 127.0.0.1:${port}: the port is in use`)
      expect(error).to.have.property('code', 'EADDRINUSE')
    }))
})

describe('stopping', () => {
  it('finishes running requests, and their connections with them', async () => {
    const running: ServerResponse[] = []
    const hold = (isStopping: () => boolean): RequestListener => {
      return (_req, res) => {
        running.push(res)
        res.on('go on', () => res.setHeader('Connection', isStopping() ? 'close' : 'keep-alive').end('done'))
      }
    }
    await withServer(hold, async server => {
      const client = createHttpClient(server.url)
      const answer = client.get('/')
      await eventually(() => {
        expect(running).to.have.lengthOf(1)
      })
      const stopped = server.stop(10_000)
      running[0]?.emit('go on')
      await stopped
      expect(await answer)
        .to.include({ text: 'done' })
        .and.to.have.nested.property('headers.connection', 'close')
      client.close()
    })
  })

  it('closes idle connections at once, also those that never sent anything', () =>
    withServer(hello, async server => {
      const client = createHttpClient(server.url)
      await client.get('/')
      const silent = connect(server.port, host)
      await once(silent, 'connect')
      await server.stop(60_000)
      silent.destroy()
      client.close()
    }))

  it('takes no new connections', () =>
    withServer(hello, async server => {
      await server.stop(0)
      const refused = await sendBytes(host, server.port, 'GET / HTTP/1.1\r\n\r\n').catch(
        (error: unknown) => error,
      )
      expect(refused).to.have.property('code', 'ECONNREFUSED')
    }))

  it('cuts off what takes longer than the time it is given', () =>
    withServer(
      () => () => {},
      async server => {
        const client = createHttpClient(server.url)
        const cutOff = client.get('/').catch((error: unknown) => error)
        const running = client.get('/').catch((error: unknown) => error)
        await server.stop(20)
        expect(await cutOff).to.be.an('error')
        expect(await running).to.be.an('error')
        client.close()
      },
    ))
})

describe('a client that sends many requests without waiting for answers', () => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

  it('gets them in order, with their bodies, after any error before', () =>
    withServer(echo, async ({ port }) => {
      const paths = Array.from({ length: 300 }, (_, n) => `/${n}`)
      const post = (path: string) =>
        `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${path.length}\r\n\r\n${path}`
      const text = await sendBytes(host, port, `${paths.map(post).join('')}GARBAGE\r\n\r\n`)
      expect(text.match(/(?<=\r\n)\/\d+/g)).to.deep.equal(paths)
      expect(statusLines(text)?.at(-1)).to.equal('HTTP/1.1 400 Bad Request')
    }))

  it('keeps nobody else waiting', async () => {
    const order: (string | undefined)[] = []
    const noting = (): RequestListener => (req, res) => {
      order.push(req.url)
      res.end('hello')
    }
    await withServer(noting, async ({ port, url }) => {
      const socket = connect(port, host)
      await once(socket, 'connect')
      socket.write(Array.from({ length: 200 }, () => get('/many')).join(''))
      const client = createHttpClient(url)
      await client.get('/one')
      client.close()
      socket.destroy()
    })
    expect(order.indexOf('/one')).to.be.lessThan(100)
  })

  it('has none of them worked on once it is gone', async () => {
    let begun = 0
    const holding = (): RequestListener => (_req, _res) => void begun++
    await withServer(holding, async ({ port }) => {
      const socket = connect(port, host)
      await once(socket, 'connect')
      socket.write(get('/').repeat(3))
      await eventually(() => expect(begun).to.equal(1))
      socket.resetAndDestroy()
    })
    expect(begun).to.equal(1)
  })
})
