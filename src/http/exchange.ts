import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Standing } from '../limits/limiter.ts'

/** A request on its way through the steps of its route. */
export type Exchange = {
  req: IncomingMessage
  res: ServerResponse
  requestId: string
  /** `performance.now()` when its head had been read. */
  arrivedAt: number
  /** What stands for the open segment of the route's pattern, decoded; '' if the pattern has none. */
  segment: string
  /** The query string as it was sent, without `?`. */
  query: string
  /** Of the limits that the request counts for, the one that leaves the least; the answer tells of it, whatever it is. */
  standing: Standing | null
}

/** `headers` are names and values in turn. A body has a type; no body is ''. */
export type Answer = {
  status: number
  type: string
  body: string | Buffer
  headers: readonly string[]
}

/** One step of a route: throws what it refuses, or adds what it found out for the steps after it. */
export type Step<Before, Adds> = (exchange: Before) => Adds | Promise<Adds>

export type Handler = (exchange: Exchange) => Answer | Promise<Answer>

/** A route's steps, done in turn; each sees what those before it added, the last one gives the answer. */
export function steps<A>(one: Step<Exchange, A>, answer: Step<Exchange & A, Answer>): Handler
export function steps<A, B>(
  one: Step<Exchange, A>,
  two: Step<Exchange & A, B>,
  answer: Step<Exchange & A & B, Answer>,
): Handler
export function steps<A, B, C>(
  one: Step<Exchange, A>,
  two: Step<Exchange & A, B>,
  three: Step<Exchange & A & B, C>,
  answer: Step<Exchange & A & B & C, Answer>,
): Handler
export function steps<A, B, C, D>(
  one: Step<Exchange, A>,
  two: Step<Exchange & A, B>,
  three: Step<Exchange & A & B, C>,
  four: Step<Exchange & A & B & C, D>,
  answer: Step<Exchange & A & B & C & D, Answer>,
): Handler
export function steps<A, B, C, D>(
  ...list:
    | [Step<Exchange, A>, Step<Exchange & A, Answer>]
    | [Step<Exchange, A>, Step<Exchange & A, B>, Step<Exchange & A & B, Answer>]
    | [
        Step<Exchange, A>,
        Step<Exchange & A, B>,
        Step<Exchange & A & B, C>,
        Step<Exchange & A & B & C, Answer>,
      ]
    | [
        Step<Exchange, A>,
        Step<Exchange & A, B>,
        Step<Exchange & A & B, C>,
        Step<Exchange & A & B & C, D>,
        Step<Exchange & A & B & C & D, Answer>,
      ]
): Handler {
  if (list.length === 2) return then(list[0], list[1])
  if (list.length === 3) return then(both(list[0], list[1]), list[2])
  if (list.length === 4) return then(both(both(list[0], list[1]), list[2]), list[3])
  return then(both(both(both(list[0], list[1]), list[2]), list[3]), list[4])
}

function both<A, B>(one: Step<Exchange, A>, two: Step<Exchange & A, B>): Step<Exchange, A & B> {
  return async exchange => {
    const found = Object.assign(exchange, await one(exchange))
    return Object.assign(found, await two(found))
  }
}

function then<A>(one: Step<Exchange, A>, answer: Step<Exchange & A, Answer>): Handler {
  return async exchange => answer(Object.assign(exchange, await one(exchange)))
}

/** 204; `headers` are names and values in turn. */
export function noContent(...headers: string[]): Answer {
  return { status: 204, type: '', body: '', headers }
}

/** An answer in JSON; `headers` are names and values in turn. */
export function json(status: number, value: unknown, ...headers: string[]): Answer & { body: string } {
  return { status, type: 'application/json', body: JSON.stringify(value), headers }
}
