import type { Middleware, ParameterizedContext } from 'koa'
import type { Logger } from 'pino'
import { answerTo, ClientGone, internalError, methodNotAllowed, notFound } from './errors.ts'
import type { Answer, Exchange } from './exchange.ts'
import type { FixedHeaders } from './headers.ts'
import type { RequestState } from './observe.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import type { Match } from './router.ts'

const clientGone = 499

export type DispatchParts = { headers: FixedHeaders; log: Logger; isStopping(): boolean }

/** The innermost layer: hands a request to its route, and writes the answer or that to the error it met. */
export function createDispatch({ headers, log, isStopping }: DispatchParts): Middleware<RequestState> {
  return async ctx => {
    const { requestId, match } = ctx.state
    const exchange = exchangeOf(ctx)
    const answer = await answerOrNull(exchange, match, log)
    // Koa would set header after header; all in one go costs a sixth of that.
    ctx.respond = false
    if (answer === null) {
      // For the log alone: nothing is sent any more.
      ctx.res.statusCode = clientGone
      return
    }
    const { status, type } = answer
    // Encoded once; of a text, Node would count the bytes apart, and join it to the head before it encodes both.
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body
    const all = [
      ...headers[match?.route.headerSet ?? 'noStore'],
      ...answer.headers,
      ...(exchange.standing ? rateLimitHeaders(exchange.standing) : []),
      'X-Request-Id',
      requestId,
    ]
    if (type !== '') all.push('Content-Type', type, 'Content-Length', String(body.length))
    if (isStopping()) all.push('Connection', 'close')
    ctx.res.writeHead(status, all)
    ctx.res.end(body)
  }
}

function exchangeOf({ req, res, state }: ParameterizedContext<RequestState>): Exchange {
  const { requestId, arrivedAt, match } = state
  const { segment = '', query = '' } = match ?? {}
  return { req, res, requestId, arrivedAt, segment, query, standing: null }
}

/** Null: there is nobody left to answer. */
async function answerOrNull(exchange: Exchange, match: Match | null, log: Logger): Promise<Answer | null> {
  try {
    return await answerOf(exchange, match)
  } catch (error) {
    if (error instanceof ClientGone) return null
    const answer = answerTo(error)
    if (answer) return answer
    log.error({ id: exchange.requestId, err: error }, 'a request met an error of our own')
    return internalError()
  }
}

function answerOf(exchange: Exchange, match: Match | null): Answer | Promise<Answer> {
  if (!match) return notFound()
  const { route } = match
  const method = exchange.req.method ?? ''
  const handler = route.handlers.get(method)
  if (handler) return handler(exchange)
  if (method !== 'OPTIONS') return methodNotAllowed(method, route.allow)
  return { status: 204, type: '', body: '', headers: ['Allow', route.allow] }
}
