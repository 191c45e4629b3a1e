import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { addTokenKey, putTokenKeyFirst } from '../../src/tools/token-keys.ts'
import { type Answered, textIn } from '../support/http-client.ts'
import { startServer } from '../support/server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'
import { goodPassword, newPerson } from './suite/people.ts'
import type { TestServer } from './suite/test-server.ts'

/** Runs a server on a data directory that outlives it. */
async function serve<T>(
  environment: Record<string, string>,
  use: (server: TestServer) => Promise<T>,
): Promise<T> {
  const server = await startServer(environment)
  try {
    return await use(server)
  } finally {
    await server.stop()
  }
}

const refreshed = async ({ client }: TestServer, refresh: string) =>
  textIn(await client.post('/api/token/refresh/', { refresh }), 'refresh')

const keysIn = ({ text }: Answered): ({ kid: string } & Record<string, string>)[] => JSON.parse(text).keys

describe('JWT_KEYS', () => {
  it('sign tokens that anybody can verify by the keys at /.well-known/jwks.json', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      await addTokenKey(file, 'RS256', true)
      const { kid } = await addTokenKey(file, 'ES256', true)
      await serve({ JWT_KEYS: file }, async server => {
        const { access, path, auth } = await newPerson(server)
        const answered = await server.client.get('/.well-known/jwks.json')
        expect(answered).to.include({ status: 200 })
        const keys = keysIn(answered)
        expect(keys.map(({ alg }) => alg)).to.deep.equal(['ES256', 'RS256'])
        expect(answered.text).not.to.match(/"(?:d|p|q|dp|dq|qi)":/)
        const decoded = jwt.decode(access, { complete: true })
        expect(decoded?.header).to.include({ kid, alg: 'ES256' })
        const key = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' })
        expect(jwt.verify(access, key, { algorithms: ['ES256'] })).to.have.property('sid')
        expect((await server.client.put(path, { bio: 'x' }, auth)).status).to.equal(200)
      })
    }))

  it('are none if the secret signs', () =>
    serve({}, async ({ client }) => {
      expect((await client.get('/.well-known/jwks.json')).body).to.deep.equal({ keys: [] })
    }))

  it('can be brought in and rotated without logging anybody out, and taken away', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      const shared = { DATA_DIR: join(folder, 'data') }
      const withKeys = { ...shared, JWT_KEYS: file }
      const { username, first } = await serve(shared, async server => {
        const person = await newPerson(server)
        return { username: person.username, first: person.refresh }
      })
      const { kid: old } = await addTokenKey(file, 'ES256', false)
      const second = await serve(withKeys, server => refreshed(server, first))
      const { kid, signs } = await addTokenKey(file, 'RS256', false)
      expect(signs).to.equal(false)
      const third = await serve(withKeys, server => refreshed(server, second))
      expect(jwt.decode(third, { complete: true })?.header).to.include({ kid: old })
      expect(await putTokenKeyFirst(file, kid)).to.equal(true)
      const fourth = await serve(withKeys, server => refreshed(server, third))
      expect(jwt.decode(fourth, { complete: true })?.header).to.include({ kid, alg: 'RS256' })
      await serve(shared, async ({ client }) => {
        expect((await client.post('/api/token/refresh/', { refresh: fourth })).status).to.equal(401)
        const login = await client.post('/api/token/obtain/', { username, password: goodPassword })
        expect(login.status).to.equal(200)
      })
    }))
})
