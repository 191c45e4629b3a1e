import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Answered, createHttpClient, textIn } from '../../support/http-client.ts'
import type { Ledger, Session } from './ledger.ts'

/** Null: no answer, or one that leaves the outcome open (503). */
export type Reply = Answered | null

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
/** `key`: an idempotency key, null for none. */
export type Call = { json?: unknown; access?: string; key?: string | null; ifMatch?: string }

export type Caller = {
  call(method: Method, path: string, call?: Call): Promise<Reply>
  /** Asks again while the outcome is open; only for what may be done twice. */
  insist(method: Method, path: string, call?: Call): Promise<Reply>
  close(): void
}

const answerWithinMs = 30_000
const listenMs = 500
const insistForMs = 60_000
const insistPauseMs = 200

/** A client that notes what no server may ever answer: a 5xx but 503 with `Retry-After`, or nothing for long. */
export function createCaller(url: string, ledger: Ledger): Caller {
  const client = createHttpClient(url)

  async function call(method: Method, path: string, asking: Call = {}): Promise<Reply> {
    const { json, access, key, ifMatch } = asking
    ledger.counts.requests++
    const headers = {
      // People live all over the world: where a proxy is trusted, this is where they come from.
      'X-Forwarded-For': Array.from({ length: 4 }, () => randomInt(1, 224)).join('.'),
      ...(access === undefined ? {} : { Authorization: `Bearer ${access}` }),
      ...(typeof key === 'string' ? { 'Idempotency-Key': `"${key}"` } : {}),
      ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
    }
    const asked = client.ask(method, path, { json, headers }).catch(() => 'lost' as const)
    const timer = new AbortController()
    const late = listenedFor(answerWithinMs, timer.signal).then(() => 'late' as const)
    const reply = await Promise.race([asked, late])
    timer.abort()
    if (reply === 'late') ledger.violations.push(`${method} ${path}: no answer within ${answerWithinMs} ms`)
    if (reply === 'late' || reply === 'lost') return unanswered()
    if (reply.status === 503 && reply.headers['retry-after'] !== undefined) return unanswered()
    if (reply.status >= 500) {
      ledger.violations.push(`${method} ${path}: expected no 5xx, found ${reply.status} ${reply.text}`)
      return unanswered()
    }
    return reply
  }

  function unanswered(): null {
    ledger.counts.unanswered++
    return null
  }

  return {
    call,
    async insist(method, path, asked) {
      const end = performance.now() + insistForMs
      do {
        const reply = await call(method, path, asked)
        if (reply) return reply
        await pause(insistPauseMs)
      } while (performance.now() < end)
      ledger.violations.push(`${method} ${path}: expected an answer in the end, found none`)
      return null
    },
    close: () => client.close(),
  }
}

/**
 * Resolves after so much time in which an answer would have been heard: where the laboratory itself stood still, all of its
 * timers end before it reads what came meanwhile.
 */
async function listenedFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  for (let listened = 0; listened < milliseconds && !signal.aborted; listened += listenMs) {
    await pause(listenMs, undefined, { signal }).catch(() => undefined)
  }
}

/** A field of a JSON answer, undefined if there is none. */
export function field(reply: Answered, name: string): unknown {
  const { body } = reply
  return typeof body === 'object' && body !== null ? new Map(Object.entries(body)).get(name) : undefined
}

export function tokensIn(reply: Answered): Session {
  return { access: textIn(reply, 'access'), refresh: textIn(reply, 'refresh') }
}

/** For messages. */
export function told(reply: Reply): string {
  return reply ? `${reply.status} ${reply.text.slice(0, 200)}` : 'no answer'
}
