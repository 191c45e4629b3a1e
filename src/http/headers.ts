import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'

/** Which fixed headers a route's answers have; `own` is for answers that tell who is looking. */
export type HeaderSet = 'noStore' | 'ownView' | 'public' | 'page'

export type FixedHeaders = Readonly<Record<HeaderSet, readonly string[]>>

/** The fixed headers of each set, names and values in turn, worked out once so that they cost no time later. */
export function fixedHeaders(corsOrigins: readonly string[]): FixedHeaders {
  const variesByOrigin = !corsOrigins.includes('*')
  const vary = (...names: string[]) => {
    const all = variesByOrigin ? [...names, 'Origin'] : names
    return all.length === 0 ? [] : ['Vary', all.join(', ')]
  }
  const api = headersOf(apiSecurity)
  return {
    noStore: [...api, 'Cache-Control', 'no-store', ...vary()],
    ownView: [...api, 'Cache-Control', 'private, no-cache', ...vary('Authorization')],
    public: [...api, 'Cache-Control', 'no-cache', ...vary()],
    page: [...headersOf(pageSecurity), 'Cache-Control', 'no-cache', ...vary()],
  }
}

type SecurityHeaders = ReturnType<typeof helmet>

/** For answers in JSON; what only concerns pages is left out. */
const apiSecurity = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  xFrameOptions: { action: 'deny' },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
})

/** For the page at /docs: its own files and no others; Swagger UI sets style attributes and shows data images. */
const pageSecurity = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
})

function headersOf(security: SecurityHeaders): string[] {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  security(request, response, error => {
    if (error) throw error
  })
  return response.getHeaderNames().flatMap(name => [name, String(response.getHeader(name))])
}
