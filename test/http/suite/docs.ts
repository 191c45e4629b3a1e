import { expect } from 'chai'
import { routes } from './everywhere.ts'
import type { Running } from './test-server.ts'

type Document = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, unknown>>
}
type Operation = {
  operationId?: string
  responses?: Record<string, unknown>
  requestBody?: unknown
  security?: unknown[]
  parameters?: unknown[]
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

export function docsCases(running: Running): void {
  const document = async () => {
    const { text } = await running().client.get('/openapi.json')
    const parsed: Document = JSON.parse(text)
    return parsed
  }

  describe('/openapi.json', () => {
    it('is OpenAPI 3.1', async () => expect(await document()).to.have.property('openapi', '3.1.0'))

    it('has every route with every method, and no others', async () => {
      const { paths } = await document()
      const described = Object.entries(paths).map(([path, item]) => [
        path.replace('{username}', 'somebody').replace('{id}', '00000000-0000-4000-8000-000000000000'),
        methods.filter(method => method in item),
      ])
      const served = routes
        .filter(([path]) => !/openapi|docs/.test(path))
        .map(([path, allow]) => [
          path,
          methods.filter(method => allow.split(', ').includes(method.toUpperCase())),
        ])
      expect(described).to.have.deep.members(served)
    })

    it('refers to nothing that is not in it', async () => {
      const whole = await document()
      const found = [...JSON.stringify(whole).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)]
      expect(found).not.to.have.lengthOf(0)
      for (const [reference, kind = '', name = ''] of found) {
        expect(whole.components[kind], reference).to.have.property(name)
      }
      expect(JSON.stringify(whole).match(/"\$ref"/g)).to.have.lengthOf(found.length)
    })

    it('describes bodies by the schemas that check them', async () => {
      const { schemas } = (await document()).components
      expect(schemas?.RegisterBody).to.have.nested.property('properties.username.maxLength', 150)
      expect(schemas?.RegisterBody).to.have.deep.property('required', ['username', 'password'])
      expect(schemas?.EditProfileBody).to.deep.equal({
        type: 'object',
        properties: {
          first_name: { type: 'string', maxLength: 150 },
          last_name: { type: 'string', maxLength: 150 },
          bio: { type: 'string', maxLength: 2000 },
          fav_sport_1: { type: 'string', maxLength: 100 },
          fav_sport_2: { type: 'string', maxLength: 100 },
          fav_sport_3: { type: 'string', maxLength: 100 },
          location: { type: 'string', maxLength: 200 },
          avatar: { type: 'string', maxLength: 8192 },
          privacy: { type: 'boolean' },
        },
      })
    })

    it('lets each command that changes something be repeated by its key', async () => {
      const key = { $ref: '#/components/parameters/IdempotencyKey' }
      const asks = ['validateResetToken']
      for (const [path, item] of Object.entries((await document()).paths)) {
        for (const [method, operation] of Object.entries(item).filter(([name]) => methods.includes(name))) {
          const changes = method !== 'get' && !asks.includes(operation.operationId ?? '')
          expect(operation.parameters ?? [], `${method} ${path}`).to.have.lengthOf.at.least(changes ? 1 : 0)
          expect(Object.keys(operation.responses ?? {}).includes('422'), `${method} ${path}`).to.equal(
            changes,
          )
          if (changes) expect(operation.parameters).to.deep.include(key)
        }
      }
    })

    it('says for each operation what it needs and what it may answer', async () => {
      for (const [path, item] of Object.entries((await document()).paths)) {
        for (const [method, operation] of Object.entries(item).filter(([name]) => methods.includes(name))) {
          expect(operation.operationId, `${method} ${path}`).to.be.a('string')
          expect(operation.security).to.be.an('array')
          expect(Object.keys(operation.responses ?? {})).to.include.oneOf(['200', '201', '204'])
          const needsNone = method === 'get' || (method === 'delete' && path.startsWith('/api/sessions/'))
          expect('requestBody' in operation, `${method} ${path}`).to.equal(!needsNone)
        }
      }
    })
  })

  describe('/docs', () => {
    it('is a page that loads nothing from elsewhere', async () => {
      const { client } = running()
      const page = await client.get('/docs')
      expect(page.status).to.equal(200)
      expect(page.headers['content-type']).to.equal('text/html; charset=utf-8')
      expect(page.text).not.to.match(/https?:\/\//)
      const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
      expect(files).to.have.lengthOf(4)
      for (const file of files) {
        const { status, headers, text } = await client.get(file)
        expect(status, file).to.equal(200)
        expect(headers['content-length']).not.to.equal('0')
        expect(text).not.to.equal('')
      }
    })

    it('has its types right, since browsers must not guess them', async () => {
      const { client } = running()
      for (const [file, type] of [
        ['swagger-ui.css', 'text/css; charset=utf-8'],
        ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
        ['start.js', 'text/javascript; charset=utf-8'],
        ['favicon-32x32.png', 'image/png'],
      ]) {
        expect((await client.get(`/docs/${file}`)).headers['content-type']).to.equal(type)
      }
    })

    it('allows its own files only', async () => {
      const policy = (await running().client.get('/docs')).headers['content-security-policy']
      expect(policy).to.contain("script-src 'self';").and.to.contain("connect-src 'self'")
    })

    it('has no other file of the package, nor any outside it', async () => {
      for (const file of ['package.json', 'index.html', '..%2Fpackage.json', '..', '%2e%2e%2fpackage.json']) {
        expect((await running().client.get(`/docs/${file}`)).status, file).to.equal(404)
      }
    })
  })
}
