import type { Middleware, ParameterizedContext } from 'koa'
import type { Logger } from 'pino'
import { answerTo, ClientGone, internalError, methodNotAllowed, notFound } from './errors.ts'
import type { Answer } from './exchange.ts'
import type { FixedHeaders } from './headers.ts'
import type { RequestState } from './observe.ts'

const clientGone = 499

export type DispatchParts = { headers: FixedHeaders; log: Logger; isStopping(): boolean }

/** The innermost layer: hands a request to its route, and writes the answer or that to the error it met. */
export function createDispatch({ headers, log, isStopping }: DispatchParts): Middleware<RequestState> {
  return async ctx => {
    const { requestId, match } = ctx.state
    const answer = await answerOrNull(ctx, log)
    // Koa would set header after header; all in one go costs a sixth of that.
    ctx.respond = false
    if (answer === null) {
      // For the log alone: nothing is sent any more.
      ctx.res.statusCode = clientGone
      return
    }
    const { status, type, body } = answer
    const all = [
      ...headers[match?.route.headerSet ?? 'noStore'],
      ...answer.headers,
      'X-Request-Id',
      requestId,
    ]
    if (type !== '') all.push('Content-Type', type, 'Content-Length', String(Buffer.byteLength(body)))
    if (isStopping()) all.push('Connection', 'close')
    ctx.res.writeHead(status, all)
    ctx.res.end(body)
  }
}

/** Null: there is nobody left to answer. */
async function answerOrNull(ctx: ParameterizedContext<RequestState>, log: Logger): Promise<Answer | null> {
  try {
    return await answerOf(ctx)
  } catch (error) {
    if (error instanceof ClientGone) return null
    const answer = answerTo(error)
    if (answer) return answer
    log.error({ id: ctx.state.requestId, err: error }, 'a request met an error of our own')
    return internalError()
  }
}

function answerOf({ req, res, state }: ParameterizedContext<RequestState>): Answer | Promise<Answer> {
  const { requestId, arrivedAt, match } = state
  if (!match) return notFound()
  const { route, segment, query } = match
  const method = req.method ?? ''
  const handler = route.handlers.get(method)
  if (handler) return handler({ req, res, requestId, arrivedAt, segment, query })
  if (method !== 'OPTIONS') return methodNotAllowed(method, route.allow)
  return { status: 204, type: '', body: '', headers: ['Allow', route.allow] }
}
