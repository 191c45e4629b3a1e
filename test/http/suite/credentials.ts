import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { outcome } from '../../support/http-client.ts'
import { claimsIn, goodPassword, newName, newPerson, type Person } from './people.ts'
import type { Running } from './test-server.ts'

const refused = (message: string) => ({
  status: 401,
  body: {
    detail: 'Given token not valid for any token type',
    code: 'token_not_valid',
    messages: [{ token_class: 'AccessToken', token_type: 'access', message }],
  },
})
const invalid = refused('Token is invalid or expired')
const wrongType = refused('Token has wrong type')
const notTwoParts = {
  status: 401,
  body: {
    detail: 'Authorization header must contain two space-delimited values',
    code: 'bad_authorization_header',
  },
}
const notProvided = { status: 401, body: { detail: 'Authentication credentials were not provided.' } }

export function credentialsCases(running: Running): void {
  const get = async (path: string, Authorization: string) => running().client.get(path, { Authorization })
  const put = async (path: string, Authorization: string) => running().client.put(path, {}, { Authorization })

  /** Asks with a header on every route that looks at it. */
  async function everywhere({ path }: Person, authorization: string) {
    return [
      await get(path, authorization),
      await get('/api/users/', authorization),
      await put(path, authorization),
    ]
  }

  describe('credentials', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'JWT', 'jwt']) {
      it(`are an access token after ${scheme}`, async () => {
        const person = await newPerson(running())
        const { access, path, email } = person
        for (const spelt of [`${scheme} ${access}`, `  ${scheme}   ${access} `]) {
          expect((await put(path, spelt)).status).to.equal(200)
          expect((await get(path, spelt)).body).to.have.property('email', email)
        }
      })
    }

    it('are refused if the token is malformed, expired or forged, when reading too', async () => {
      const person = await newPerson(running())
      const claims = claimsIn(person.access)
      const { jwtSecret } = running()
      const [head, body] = person.access.split('.')
      const past = Math.floor(Date.now() / 1000) - 10
      for (const [what, token] of [
        ['malformed', 'nonsense'],
        ['malformed in parts', 'a.b.c'],
        ['cut off', `${head}.${body}.`],
        ['expired', jwt.sign({ ...claims, exp: past }, jwtSecret)],
        ['of another secret', jwt.sign(claims, `${jwtSecret}x`)],
        ['of another algorithm', jwt.sign(claims, jwtSecret, { algorithm: 'HS512' })],
        ['unsigned', jwt.sign(claims, '', { algorithm: 'none' })],
        ['about nobody', jwt.sign({ ...claims, user_id: 'x' }, jwtSecret)],
        ['of no type', jwt.sign({ ...claims, token_type: undefined }, jwtSecret)],
      ] as const) {
        for (const answered of await everywhere(person, `Bearer ${token}`)) {
          if (what === 'of no type') expect(answered.status, what).to.equal(401)
          else expect(outcome(answered), what).to.deep.equal(invalid)
          expect(answered.headers['www-authenticate']).to.equal('Bearer realm="api"')
        }
      }
    })

    it('are refused if the token is one for refreshing', async () => {
      const person = await newPerson(running())
      for (const answered of await everywhere(person, `Bearer ${person.refresh}`)) {
        expect(outcome(answered)).to.deep.equal(wrongType)
      }
    })

    it('are refused if they have not two parts', async () => {
      const person = await newPerson(running())
      for (const header of ['Bearer', 'JWT ', 'Bearer a b', `Bearer ${person.access} x`]) {
        for (const answered of await everywhere(person, header)) {
          expect(outcome(answered), header).to.deep.equal(notTwoParts)
          expect(answered.headers['www-authenticate']).to.equal('Bearer realm="api"')
        }
      }
    })

    it('are none with another scheme, an empty header or a raw token', async () => {
      const person = await newPerson(running())
      for (const header of ['Basic dTpw', 'Basic', 'Token a b', '', ' ', person.access, 'Bearer,x y']) {
        const [profile, search, edit] = await everywhere(person, header)
        expect(profile?.status, header).to.equal(200)
        expect(profile?.body).not.to.have.property('email')
        expect(search?.status).to.equal(200)
        expect(edit && outcome(edit), header).to.deep.equal(notProvided)
        expect(edit?.headers['www-authenticate']).to.equal('Bearer realm="api"')
      }
    })

    it('are not looked at by registration, login, refresh and reset', async () => {
      const { username, email, refresh } = await newPerson(running())
      const headers = { Authorization: 'Bearer nonsense' }
      const { client } = running()
      const user = { username: newName(), password: goodPassword }
      expect((await client.post('/api/user/create/', user, headers)).status).to.equal(201)
      const login = { username, password: goodPassword }
      expect((await client.post('/api/token/obtain/', login, headers)).status).to.equal(200)
      expect((await client.post('/api/token/refresh/', { refresh }, headers)).status).to.equal(200)
      expect((await client.post('/api/password/reset/', { email }, headers)).status).to.equal(200)
      const validate = '/api/password/reset/validate_token/'
      expect((await client.post(validate, { token: 'x' }, headers)).status).to.equal(404)
    })

    it('of an account that is not there are believed by reads and refused by commands', async () => {
      const person = await newPerson(running())
      const claims = { ...claimsIn(person.access), user_id: 2 ** 50 }
      const token = jwt.sign(claims, running().jwtSecret)
      expect((await get(person.path, `Bearer ${token}`)).status).to.equal(200)
      const answered = await put(person.path, `Bearer ${token}`)
      const body = { detail: 'User not found', code: 'user_not_found' }
      expect(outcome(answered)).to.deep.equal({ status: 401, body })
      expect(answered.headers['www-authenticate']).to.equal('Bearer realm="api"')
    })
  })
}
