import type { IncomingMessage, ServerResponse } from 'node:http'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import {
  bodyTooLarge,
  ClientGone,
  noData,
  Refusal,
  unreadable,
  unsupportedCoding,
  unsupportedType,
} from './errors.ts'

/** A body's members as they were sent, not yet looked at. */
export type Sent = Readonly<Record<string, unknown>>

export const maximumBodyBytes = 64 * 1024

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })
const forgivingUtf8 = new TextDecoder('utf-8')

/**
 * Reads and parses a body: size, then type, then coding, then its text; an empty one is `{}` and has no type to
 * check. Throws Refusal (413, 415, 400) and ClientGone. Not koa-bodyparser, which takes bad UTF-8 for text and
 * refuses `__proto__`, which is harmless here.
 */
export async function readBody(exchange: { req: IncomingMessage; res: ServerResponse }): Promise<Sent> {
  const { headers } = exchange.req
  const bytes = await readBytes(exchange.req, exchange.res)
  if (bytes.length === 0) return {}
  const type = headers['content-type']?.split(';', 1)[0]?.trim() ?? ''
  const parse = parsers[type.toLowerCase()]
  if (!parse) throw new Refusal(unsupportedType(type))
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  return parse(decompress(bytes, coding))
}

function readBytes(req: IncomingMessage, res: ServerResponse): Promise<Buffer> | Buffer {
  const length = req.headers['content-length']
  if (length === undefined && req.headers['transfer-encoding'] === undefined) return Buffer.alloc(0)
  if (Number(length) > maximumBodyBytes) throw new Refusal(bodyTooLarge())
  if (req.destroyed) throw new ClientGone('closed before its body was read')
  if (waitsForContinue(req)) res.writeContinue()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      // What comes after the limit is read and dropped, so that the client gets to read the answer.
      if (size <= maximumBodyBytes) chunks.push(chunk)
      else reject(new Refusal(bodyTooLarge()))
    })
    req.on('end', () => resolve(Buffer.concat(chunks)))
    req.on('error', error => reject(new ClientGone(error.message)))
    // It closes after its end too, where an error made for nothing would cost more than all the rest.
    req.on('close', () => {
      if (!req.readableEnded) reject(new ClientGone('closed before the end of the body'))
    })
  })
}

function waitsForContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === '1.1' && /100-continue/i.test(headers.expect)
}

function decompress(bytes: Buffer, coding: string): Buffer {
  const bounded = { maxOutputLength: maximumBodyBytes }
  try {
    switch (coding) {
      case 'identity':
        return bytes
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, bounded)
      case 'deflate':
        return inflateSync(bytes, bounded)
      case 'br':
        return brotliDecompressSync(bytes, bounded)
    }
  } catch (error) {
    if (error instanceof RangeError) throw new Refusal(bodyTooLarge())
    throw new Refusal(unreadable(`Body is not valid ${coding}.`))
  }
  throw new Refusal(unsupportedCoding(coding))
}

const parsers: Readonly<Record<string, (bytes: Buffer) => Sent>> = Object.assign(Object.create(null), {
  'application/json': parseJson,
  'application/x-www-form-urlencoded': parseForm,
})

/** A repeated field counts with its last value. */
function parseForm(bytes: Buffer): Sent {
  return Object.fromEntries(new URLSearchParams(forgivingUtf8.decode(bytes)))
}

function parseJson(bytes: Buffer): Sent {
  const text = decodeJsonText(bytes)
  const value = parseJsonText(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  if (value === null) throw new Refusal(noData('No data provided'))
  throw new Refusal(noData(`Invalid data. Expected a dictionary, but got ${pythonType(value, text)}.`))
}

function decodeJsonText(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    throw new Refusal(unreadable('JSON parse error - the body is not valid UTF-8'))
  }
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Refusal(unreadable(`JSON parse error - ${reason}`))
  }
}

/** What Python calls the type of a JSON value; a number with a point or an exponent is a float there. */
function pythonType(value: unknown, text: string): string {
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  return /[.e]/i.test(text) ? 'float' : 'int'
}
