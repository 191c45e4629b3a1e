import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'

export type Readiness = { ready: boolean; checks: Record<string, { ok: boolean; detail?: string }> }

export type OpsParts = {
  port: number
  host: string
  /** Whether the dependencies answer and the read models are close enough behind. */
  readiness(): Promise<Readiness>
  metrics(): Promise<{ contentType: string; body: string }>
  log: Logger
}

type Page = { status: number; contentType: string; body: string }

const json = (status: number, body: object): Page => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify(body),
})

/** `/healthz`, `/readyz` and `/metrics`, for those who run Roster. Rejects with the listening error. */
export async function startOpsServer(parts: OpsParts): Promise<{ url: string; stop(): Promise<void> }> {
  const pages: Record<string, () => Promise<Page>> = {
    '/healthz': async () => json(200, { status: 'ok' }),
    '/readyz': async () => {
      const { ready, checks } = await parts.readiness()
      return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', checks })
    },
    '/metrics': async () => ({ status: 200, ...(await parts.metrics()) }),
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '').replace(/\?.*$/, '').replace(/(.)\/$/, '$1')
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined
    const readable = req.method === 'GET' || req.method === 'HEAD'
    const refusal = page ? json(405, { detail: 'Method not allowed.' }) : json(404, { detail: 'Not found.' })
    const { status, contentType, body } = page && readable ? await page() : refusal
    res.writeHead(status, {
      'Content-Type': contentType,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
    })
    res.end(req.method === 'HEAD' ? undefined : body)
  }

  const server = createServer((req, res) => {
    req.resume()
    answer(req, res).catch((error: unknown) => {
      parts.log.error({ err: error }, 'an ops page met an error')
      if (!res.headersSent) res.writeHead(500)
      res.end()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(parts.port, parts.host, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : parts.port
  return {
    url: `http://${parts.host.includes(':') ? `[${parts.host}]` : parts.host}:${port}`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
