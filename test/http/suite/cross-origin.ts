import { expect } from 'chai'
import type { Answered } from '../../support/http-client.ts'
import { type Running, type StartServer, withServer } from './test-server.ts'

const list = (header: string | string[] | undefined) => String(header).split(/\s*,\s*/)

const allowed = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-Request-Id',
]
const exposed = ['Link', 'Location', 'Retry-After', 'Roster-Visible', 'X-Request-Id', 'ETag']
const limits = ['RateLimit-Policy', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset']

function expectPreflight(answered: Answered, origin: string): void {
  expect(answered).to.include({ status: 204, text: '' })
  expect(answered.headers['access-control-allow-origin']).to.equal(origin)
  expect(list(answered.headers['access-control-allow-headers'])).to.have.members(allowed)
  expect(list(answered.headers['access-control-allow-methods'])).to.include.members([
    'GET',
    'POST',
    'PUT',
    'PATCH',
  ])
  expect(answered.headers['access-control-max-age']).to.equal('86400')
  expect(answered.headers).not.to.have.property('access-control-allow-credentials')
  expect(answered.headers).to.have.property('x-request-id')
}

export function crossOriginCases(running: Running, start: StartServer): void {
  describe('a page of another origin', () => {
    const Origin = 'https://app.example'
    const preflight = { Origin, 'Access-Control-Request-Method': 'PUT' }

    it('may ask what it may do', async () => {
      const answered = await running().client.ask('OPTIONS', '/api/users/somebody/', { headers: preflight })
      expectPreflight(answered, '*')
      expect(answered.headers.allow).to.equal('GET, PUT, PATCH, DELETE, HEAD, OPTIONS')
    })

    it('may read answers, those to errors too, and their headers', async () => {
      const { client } = running()
      for (const answered of [
        await client.get('/api/users/', { Origin }),
        await client.get('/nothing', { Origin }),
        await client.ask('DELETE', '/api/users/', { headers: { Origin } }),
        await client.get('/api/users/', { Origin, Authorization: 'Bearer nonsense' }),
        await client.post('/api/user/create/', {}, { Origin }),
      ]) {
        expect(answered.headers['access-control-allow-origin'], answered.text).to.equal('*')
        expect(list(answered.headers['access-control-expose-headers'])).to.include.members([
          ...exposed,
          ...limits,
        ])
        expect(answered.headers).not.to.have.property('access-control-allow-credentials')
      }
    })

    it('learns of an unknown path from its preflight', async () => {
      const answered = await running().client.ask('OPTIONS', '/nothing', { headers: preflight })
      expect(answered.status).to.equal(404)
    })
  })

  describe('with CORS_ORIGINS', () => {
    const one = 'https://one.example'
    const two = 'https://two.example'
    const restricted = withServer(start, { CORS_ORIGINS: `${one}, ${two}` })

    it('pages of these origins may use the API', async () => {
      const { client } = restricted()
      const preflight = { Origin: two, 'Access-Control-Request-Method': 'PUT' }
      expectPreflight(await client.ask('OPTIONS', '/api/users/somebody/', { headers: preflight }), two)
      const answered = await client.get('/nothing', { Origin: one })
      expect(answered.headers['access-control-allow-origin']).to.equal(one)
    })

    it('others may not', async () => {
      const { client } = restricted()
      const headers = { Origin: 'https://three.example', 'Access-Control-Request-Method': 'PUT' }
      for (const method of ['GET', 'OPTIONS']) {
        const answered = await client.ask(method, '/api/users/', { headers })
        expect(answered.headers).not.to.have.property('access-control-allow-origin')
        expect(answered.headers).not.to.have.property('access-control-allow-headers')
      }
    })

    it('answers say that they vary by origin, asked with one or not', async () => {
      const { client } = restricted()
      expect(list((await client.get('/api/users/', { Origin: one })).headers.vary)).to.have.members([
        'Authorization',
        'Origin',
      ])
      expect(list((await client.get('/api/users/')).headers.vary)).to.have.members([
        'Authorization',
        'Origin',
      ])
      expect((await client.get('/healthz')).headers.vary).to.equal('Origin')
    })
  })
}
