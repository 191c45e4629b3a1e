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

/** Told of every answer; `route` is a pattern, or `none`. */
export type RequestAnswered = (method: string, route: string, status: number, seconds: number) => void

/**
 * The outermost layer: finds the id and the route of each request, and logs one line for it. The line has the
 * route's pattern, not the path, because that names a user, and nothing that was sent.
 */
export function createObserve(
  match: (target: string) => Match | null,
  log: Logger,
  answered: RequestAnswered,
): Middleware<RequestState> {
  return async ({ req, res, state }, next) => {
    state.arrivedAt = performance.now()
    state.requestId = requestId(req.headers['x-request-id'])
    state.match = match(req.url ?? '')
    await next()
    const route = state.match?.route.pattern ?? null
    const milliseconds = performance.now() - state.arrivedAt
    const { statusCode: status } = res
    const ms = Math.round(milliseconds * 100) / 100
    log.info({ id: state.requestId, method: req.method, route, status, ms })
    answered(req.method ?? '', route ?? 'none', status, milliseconds / 1000)
  }
}
