import autocannon from 'autocannon'
import type { Side } from './comparison.ts'

export type LoadRequest = {
  method?: 'GET' | 'POST' | 'PUT'
  path: string
  headers?: Record<string, string>
  body?: string
}

export type LoadAnswer = { status: number; body: string; headers: Record<string, unknown> }

/** The requests of one connection, one after the other. `answered` is told before the next one. */
export type RequestSource = {
  next(): LoadRequest
  /** Throwing makes the measurement fail. */
  answered?(answer: LoadAnswer): void
}

export const connections = 16

/** The requests of each connection, counted from 0. */
export type Requests = (connection: number) => RequestSource

/** What `url` answers to such requests in a second. */
export function httpSide(name: string, url: string, requests: Requests): Side {
  return { name, measure: seconds => measureHttp(url, requests, seconds) }
}

/**
 * Keeps 16 connections to `url` busy for `seconds`, and gives the answers in a second. Throws if any request was not answered by a 2xx.
 */
export async function measureHttp(url: string, requests: Requests, seconds: number): Promise<number> {
  let connection = 0
  const failures: unknown[] = []
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    sampleInt: 50,
    setupClient: client => client.setRequests([everNew(requests(connection++), failures)]),
  })
  if (failures.length > 0) throw failures[0]
  if (result.non2xx > 0 || result.errors > 0) {
    const statuses = JSON.stringify(result.statusCodeStats ?? {})
    throw new Error(
      `expected 2xx for every request to ${url}, found ${statuses} and ${result.errors} without an answer`,
    )
  }
  return result['2xx'] / result.duration
}

/** How many bytes the answers to some of the requests have in the mean. Throws if one is not a 2xx. */
export async function meanAnswerBytes(url: string, requests: Requests): Promise<number> {
  const source = requests(0)
  const samples = 50
  let bytes = 0
  for (let sample = 0; sample < samples; sample++) {
    const { method = 'GET', path, headers = {}, body = null } = source.next()
    const answer = await fetch(url + path, { method, headers, body })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`expected 2xx for ${method} ${path}, found ${answer.status} ${text}`)
    source.answered?.({ status: answer.status, body: text, headers: Object.fromEntries(answer.headers) })
    bytes += Buffer.byteLength(text)
  }
  return Math.round(bytes / samples)
}

/** One request in autocannon's eyes, which is another each time it is sent. */
function everNew(source: RequestSource, failures: unknown[]): autocannon.Request {
  const setupRequest: autocannon.Request['setupRequest'] = blank => {
    const { method = 'GET', path, headers = {}, body } = source.next()
    return { ...blank, method, path, headers: { ...headers }, body }
  }
  if (!source.answered) return { setupRequest }
  return {
    setupRequest,
    onResponse: (status, body, _context, headers = {}) => {
      try {
        source.answered?.({ status, body, headers })
      } catch (error) {
        failures.push(error)
      }
    },
  }
}
