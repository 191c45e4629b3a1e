import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'

/** What a server answered. `body` is what its JSON says, undefined if there is none. */
export type Answered = {
  status: number
  headers: IncomingHttpHeaders
  text: string
  body: unknown
}

export type Asked = {
  json?: unknown
  form?: string
  /** A body as it is, for which `headers` has the type. */
  raw?: string | Buffer
  headers?: OutgoingHttpHeaders
  /** Sends the body in chunks, without its length. */
  chunked?: boolean
}

/** A client of one server that sends paths exactly as they are written and follows no redirects. */
export function createHttpClient(url: string) {
  const { hostname, port } = new URL(url)
  const agent = new Agent({ keepAlive: true })

  function ask(method: string, path: string, asked: Asked = {}): Promise<Answered> {
    const { type, body } = bodyOf(asked)
    const headers = {
      ...(type === undefined ? {} : { 'Content-Type': type }),
      ...(asked.chunked === true ? { 'Transfer-Encoding': 'chunked' } : {}),
      ...(body !== undefined && asked.chunked !== true ? { 'Content-Length': Buffer.byteLength(body) } : {}),
      ...asked.headers,
    }
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, agent, method, path, headers }, res => {
        const chunks: Buffer[] = []
        res.on('data', chunk => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const isJson = res.headers['content-type']?.startsWith('application/json') && text !== ''
          const parsed: unknown = isJson ? JSON.parse(text) : undefined
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, body: parsed })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  return {
    ask,
    get: (path: string, headers: OutgoingHttpHeaders = {}) => ask('GET', path, { headers }),
    post: (path: string, json: unknown, headers: OutgoingHttpHeaders = {}) =>
      ask('POST', path, { json, headers }),
    put: (path: string, json: unknown, headers: OutgoingHttpHeaders = {}) =>
      ask('PUT', path, { json, headers }),
    close: () => agent.destroy(),
  }
}

export type HttpClient = ReturnType<typeof createHttpClient>

function bodyOf({ json, form, raw }: Asked): { type?: string; body?: string | Buffer } {
  if (raw !== undefined) return { body: raw }
  if (form !== undefined) return { type: 'application/x-www-form-urlencoded', body: form }
  return json === undefined ? {} : { type: 'application/json', body: JSON.stringify(json) }
}

/** Sends bytes on a connection of their own and gives all that comes back until it is closed. */
export function sendBytes(host: string, port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, host, () => socket.write(bytes))
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
  })
}

/** Status and body together, for one comparison. */
export function outcome({ status, body }: Answered): { status: number; body: unknown } {
  return { status, body }
}

/** A text in an answer's JSON; fails the test if there is none. */
export function textIn(answered: Answered, name: string): string {
  const { body } = answered
  expect(body).to.be.an('object')
  const value =
    typeof body === 'object' && body !== null ? new Map(Object.entries(body)).get(name) : undefined
  if (typeof value !== 'string') throw new Error(`expected a text ${name}, found ${answered.text}`)
  return value
}
