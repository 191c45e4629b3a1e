import { expect } from 'chai'
import { outcome } from '../../support/http-client.ts'
import { goodPassword, newName, newPerson } from './people.ts'
import type { Running } from './test-server.ts'

/** Each path with what `Allow` says of it. */
export const routes = [
  ['/api/user/create/', 'POST, OPTIONS'],
  ['/api/token/obtain/', 'POST, OPTIONS'],
  ['/api/token/refresh/', 'POST, OPTIONS'],
  ['/api/token/revoke/', 'POST, OPTIONS'],
  ['/api/sessions/', 'GET, DELETE, HEAD, OPTIONS'],
  ['/api/sessions/00000000-0000-4000-8000-000000000000/', 'DELETE, OPTIONS'],
  ['/api/password/reset/', 'POST, OPTIONS'],
  ['/api/password/reset/confirm/', 'POST, OPTIONS'],
  ['/api/password/reset/validate_token/', 'POST, OPTIONS'],
  ['/api/password/change/', 'POST, OPTIONS'],
  ['/api/email/change/', 'POST, OPTIONS'],
  ['/api/email/confirm/', 'POST, OPTIONS'],
  ['/api/users/', 'GET, HEAD, OPTIONS'],
  ['/api/users/somebody/export/', 'GET, HEAD, OPTIONS'],
  ['/api/users/somebody/', 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS'],
  ['/api/users/somebody/history/', 'GET, HEAD, OPTIONS'],
  ['/openapi.json', 'GET, HEAD, OPTIONS'],
  ['/docs/', 'GET, HEAD, OPTIONS'],
  ['/docs/swagger-ui.css', 'GET, HEAD, OPTIONS'],
  ['/docs/start.js', 'GET, HEAD, OPTIONS'],
  ['/.well-known/jwks.json', 'GET, HEAD, OPTIONS'],
  ['/healthz', 'GET, HEAD, OPTIONS'],
] as const

const notFound = { status: 404, body: { detail: 'Not found.' } }
const text = { 'Content-Type': 'text/plain' }
const large = 'x'.repeat(64 * 1024 + 1)

export function everywhereCases(running: Running): void {
  const ask = (...asked: Parameters<ReturnType<Running>['client']['ask']>) => running().client.ask(...asked)

  describe('any path', () => {
    for (const [path, allow] of routes) {
      it(`answers OPTIONS with 204 and what is allowed: ${path}`, async () => {
        for (const spelt of [path, path.replace(/\/$/, ''), path.replace(/\/?$/, '/')]) {
          const answered = await ask('OPTIONS', spelt)
          expect(answered, spelt).to.include({ status: 204, text: '' })
          expect(answered.headers.allow).to.equal(allow)
        }
      })

      it(`answers other methods with 405 and what is allowed: ${path}`, async () => {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PROPFIND', 'TRACE']) {
          if (allow.split(', ').includes(method)) continue
          const answered = await ask(method, path)
          const detail = `Method "${method}" not allowed.`
          expect(outcome(answered)).to.deep.equal({ status: 405, body: { detail } })
          expect(answered.headers.allow).to.equal(allow)
        }
      })
    }

    for (const path of [
      '/',
      '/api/',
      '/API/users/',
      '/api/Users/',
      '/api/users//',
      '//api/users/',
      '/docs/x',
      '*',
    ]) {
      it(`is not found if there is nothing: ${path}`, async () => {
        expect(outcome(await ask('GET', path))).to.deep.equal(notFound)
        expect(outcome(await ask('OPTIONS', path))).to.deep.equal(notFound)
      })
    }

    it('is not found if it has NUL or bad UTF-8, whatever the method', async () => {
      for (const path of [
        '/api/users/%00/',
        '/api/users/a%00b',
        '/api/users/%FF/',
        '/api/users/%C3/',
        '/%00',
      ]) {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          expect(outcome(await ask(method, path)), path).to.deep.equal(notFound)
        }
      }
    })

    it('answers HEAD as GET, without the body', async () => {
      const { path } = await newPerson(running())
      for (const spelt of [
        path,
        '/api/users/?query=_',
        '/openapi.json',
        '/docs',
        '/healthz',
        '/api/users/nobody!',
      ]) {
        const got = await ask('GET', spelt)
        const head = await ask('HEAD', spelt)
        expect(head, spelt).to.include({ status: got.status, text: '' })
        expect(head.headers['content-length']).to.equal(String(Buffer.byteLength(got.text)))
        expect(head.headers['content-type']).to.equal(got.headers['content-type'])
      }
    })

    it('works without its final slash, with no redirect', async () => {
      const { path } = await newPerson(running())
      expect((await ask('GET', path.slice(0, -1))).status).to.equal(200)
      expect((await ask('GET', '/api/users?query=x')).status).to.equal(200)
      expect((await ask('POST', '/api/token/obtain', { json: {} })).status).to.equal(400)
      expect((await ask('GET', '/healthz/')).status).to.equal(200)
    })
  })

  describe('the order of checks', () => {
    it('puts the path before the method', async () =>
      expect(outcome(await ask('DELETE', '/api/nothing/'))).to.deep.equal(notFound))

    it('puts the method before the credentials', async () => {
      const headers = { Authorization: 'Bearer nonsense' }
      expect((await ask('POST', '/api/users/', { headers })).status).to.equal(405)
      expect((await ask('POST', '/api/users/somebody/', { headers, raw: large })).status).to.equal(405)
    })

    it('puts the credentials before the size', async () => {
      const answered = await ask('PUT', '/api/users/somebody/', { raw: large, headers: text })
      expect(outcome(answered)).to.deep.equal({
        status: 401,
        body: { detail: 'Authentication credentials were not provided.' },
      })
    })

    it('puts the owner before the size', async () => {
      const { auth } = await newPerson(running())
      const answered = await ask('PUT', '/api/users/somebody/', { raw: large, headers: { ...text, ...auth } })
      expect(outcome(answered)).to.deep.equal({ status: 401, body: { detail: 'Unauthorized.' } })
    })

    it('puts the size before the type', async () => {
      const { path, auth } = await newPerson(running())
      expect((await ask('PUT', path, { raw: large, headers: { ...text, ...auth } })).status).to.equal(413)
      expect((await ask('POST', '/api/user/create/', { raw: large, headers: text })).status).to.equal(413)
    })

    it('puts the type before the parsing', async () =>
      expect((await ask('POST', '/api/user/create/', { raw: '{', headers: text })).status).to.equal(415))

    it('puts the fields before the state', async () => {
      const unknownToken = { token: '1.2.3' }
      const confirm = (json: object) => ask('POST', '/api/password/reset/confirm/', { json })
      expect((await confirm(unknownToken)).status).to.equal(400)
      expect((await confirm({ ...unknownToken, password: goodPassword })).status).to.equal(404)
    })
  })

  describe('any answer', () => {
    it('has the id that the caller gave', async () => {
      for (const id of ['a', 'A-z_0.9', 'x'.repeat(128)]) {
        const headers = { 'X-Request-Id': id }
        expect((await ask('GET', '/healthz', { headers })).headers['x-request-id']).to.equal(id)
        expect((await ask('GET', '/nothing', { headers })).headers['x-request-id']).to.equal(id)
      }
    })

    it('has a new id if the caller gave none, or none that is harmless', async () => {
      const seen = new Set<unknown>()
      for (const id of [undefined, '', 'a b', 'x'.repeat(129), 'ä', '<a>', 'a,b']) {
        const headers = id === undefined ? {} : { 'X-Request-Id': id }
        const given = (await ask('GET', '/nothing', { headers })).headers['x-request-id']
        expect(given).to.match(/^[0-9a-f-]{36}$/)
        seen.add(given)
      }
      expect(seen.size).to.equal(7)
    })

    it('has the id that is in the events of its request', async () => {
      const id = newName('request')
      const headers = { 'X-Request-Id': id }
      const user = { username: newName(), password: goodPassword }
      expect((await ask('POST', '/api/user/create/', { json: user, headers })).status).to.equal(201)
      expect(await running().eventsOf(id)).to.include.members(['NameClaimed', 'UserRegistered'])
    })

    it('is JSON where it has a body', async () => {
      for (const [method, path] of [
        ['GET', '/nothing'],
        ['GET', '/api/users/'],
        ['POST', '/api/user/create/'],
        ['DELETE', '/healthz'],
      ] as const) {
        expect((await ask(method, path)).headers['content-type']).to.equal('application/json')
      }
    })

    it('has security headers', async () => {
      for (const path of ['/nothing', '/api/users/', '/healthz', '/docs']) {
        const { headers } = await ask('GET', path)
        expect(headers).to.include({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'strict-transport-security': 'max-age=31536000; includeSubDomains',
        })
        expect(headers['content-security-policy']).to.match(/^default-src 'none';/)
        expect(headers).not.to.have.property('x-powered-by')
      }
    })

    it('says who may keep it', async () => {
      const { path, auth } = await newPerson(running())
      const user = { username: newName(), password: goodPassword }
      for (const answered of [
        await ask('POST', '/api/token/obtain/', { json: {} }),
        await ask('POST', '/api/token/refresh/', { json: { refresh: 'x' } }),
        await ask('POST', '/api/password/reset/', { json: {} }),
        await ask('POST', '/api/password/reset/confirm/', { json: {} }),
        await ask('GET', '/api/password/reset/validate_token/'),
        await ask('POST', '/api/user/create/', { json: user }),
      ]) {
        expect(answered.headers['cache-control']).to.equal('no-store')
      }
      for (const answered of [
        await ask('GET', path),
        await ask('PUT', path, { json: {}, headers: auth }),
        await ask('PUT', path, { json: {} }),
        await ask('GET', '/api/users/'),
        await ask('GET', '/api/users/?limit=x'),
        await ask('GET', '/api/users/nobody!/'),
        await ask('DELETE', '/api/users/'),
      ]) {
        expect(answered.headers['cache-control']).to.equal('private, no-cache')
        expect(answered.headers.vary).to.equal('Authorization')
      }
    })
  })

  describe('the health check', () => {
    it('says that the process is up', async () =>
      expect(outcome(await ask('GET', '/healthz'))).to.deep.equal({ status: 200, body: { status: 'ok' } }))
  })
}
