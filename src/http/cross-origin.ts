import cors from '@koa/cors'
import type { Middleware } from 'koa'
import type { RequestState } from './observe.ts'

const allowHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-Request-Id',
]

const exposeHeaders = [
  'Link',
  'Location',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Roster-Visible',
  'X-Request-Id',
  'ETag',
]

const maxAgeSeconds = 86_400

/**
 * Lets pages of these origins (`*`: of any) use the API, errors included. The headers of a preflight are added to
 * the ordinary answer to OPTIONS; that of an unknown path gets none, it fails in the browser either way.
 */
export function createCrossOrigin(origins: readonly string[]): Middleware<RequestState> {
  const allowed = new Set(origins)
  const addHeaders = cors({
    origin: allowed.has('*')
      ? '*'
      : ({ req }) => {
          const { origin = '' } = req.headers
          return allowed.has(origin) ? origin : ''
        },
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders,
    exposeHeaders,
    maxAge: maxAgeSeconds,
  })
  const crossOrigin: Middleware<RequestState> = async (ctx, next) => {
    let answered = false
    await addHeaders(ctx, () => {
      answered = true
      return next()
    })
    // @koa/cors takes a preflight for finished once it has set its headers.
    if (!answered) await next()
  }
  return (ctx, next) => {
    const isFromPage = ctx.req.headers.origin !== undefined
    const isLost = ctx.req.method === 'OPTIONS' && !ctx.state.match
    return isFromPage && !isLost ? crossOrigin(ctx, next) : next()
  }
}
