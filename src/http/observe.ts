import type { Middleware } from 'koa'
import type { Logger } from 'pino'
import { requestId } from './request-id.ts'
import type { Match } from './router.ts'

/** What is known of a request before anything is checked. */
export type RequestState = {
  requestId: string
  /** `performance.now()` */
  arrivedAt: number
  match: Match | null
}

/**
 * The outermost layer: finds the id and the route of each request, and logs one line for it. The line has the
 * route's pattern, not the path, because that names a user, and nothing that was sent.
 */
export function createObserve(
  match: (target: string) => Match | null,
  log: Logger,
): Middleware<RequestState> {
  return async ({ req, res, state }, next) => {
    state.arrivedAt = performance.now()
    state.requestId = requestId(req.headers['x-request-id'])
    state.match = match(req.url ?? '')
    await next()
    log.info({
      id: state.requestId,
      method: req.method,
      route: state.match?.route.pattern ?? null,
      status: res.statusCode,
      ms: Math.round((performance.now() - state.arrivedAt) * 100) / 100,
    })
  }
}
