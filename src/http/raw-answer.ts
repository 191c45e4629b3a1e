import { STATUS_CODES } from 'node:http'
import { type Answer, json } from './exchange.ts'

/** What Node's HTTP parser found wrong, as an answer; nothing of what was sent is repeated. */
export function parserAnswer(code: string | undefined): Answer {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return json(431, { detail: 'Request header fields too large.' })
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return json(413, { detail: 'Request body too large.' })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return json(408, { detail: 'Request timed out.' })
    default:
      return json(400, { detail: 'Malformed request.' })
  }
}

/** A whole answer as it goes over the wire, for a connection on which no request could be read. */
export function rawAnswer(
  { status, type, body }: Answer,
  headers: readonly string[],
  requestId: string,
): string {
  const all = [
    ...headers,
    ...['X-Request-Id', requestId],
    ...['Date', new Date().toUTCString()],
    ...['Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))],
    ...['Connection', 'close'],
  ]
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`
  for (let index = 0; index < all.length; index += 2) head += `${all[index]}: ${all[index + 1]}\r\n`
  return `${head}\r\n${body}`
}
