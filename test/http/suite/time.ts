import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { outcome, textIn } from '../../support/http-client.ts'
import { claimsIn, newPerson } from './people.ts'
import { type StartServer, withServer } from './test-server.ts'

const days = 86_400
const invalid = { status: 401, body: { detail: 'Token is invalid or expired', code: 'token_not_valid' } }
const ok = { status: 200, body: { status: 'OK' } }
const notFound = { status: 404, body: { detail: 'Not found.' } }

export function timeCases(start: StartServer): void {
  describe('as time goes by', () => {
    const running = withServer(start)
    const pass = (seconds: number) => running().passTime(seconds)
    const refresh = (token: string) => running().client.post('/api/token/refresh/', { refresh: token })
    const next = async (token: string) => {
      const answered = await refresh(token)
      expect(answered.status, answered.text).to.equal(200)
      return textIn(answered, 'refresh')
    }

    it('an access token is good for five minutes', async () => {
      const { path, auth } = await newPerson(running())
      const { client } = running()
      pass(295)
      expect((await client.get(path, auth)).status).to.equal(200)
      expect((await client.put(path, {}, auth)).status).to.equal(200)
      pass(10)
      expect((await client.get(path, auth)).status).to.equal(401)
      expect((await client.put(path, {}, auth)).body).to.have.property('code', 'token_not_valid')
    })

    it('a refresh token is good for fourteen days, which start anew with each refresh', async () => {
      const person = await newPerson(running())
      pass(14 * days - 10)
      const second = await next(person.refresh)
      pass(14 * days - 10)
      const third = await next(second)
      pass(14 * days + 10)
      expect(outcome(await refresh(third))).to.deep.equal(invalid)
    })

    it('any number of lost answers in a row is forgiven', async () => {
      const { refresh: first } = await newPerson(running())
      await next(first)
      pass(60)
      await next(first)
      pass(60)
      const found = await next(first)
      pass(60)
      expect(claimsIn(await next(found)).sid).to.equal(claimsIn(first).sid)
    })

    it('a late duplicate gives the current token again, and ends nothing', async () => {
      const { refresh: first } = await newPerson(running())
      const second = await next(first)
      const third = await next(second)
      pass(20)
      expect(await next(first)).to.equal(third)
      pass(60)
      await next(third)
    })

    it('a thief and an owner refreshing in turn are both shut out', async () => {
      const person = await newPerson(running())
      const owners = await next(person.refresh)
      pass(60)
      const latest = await next(owners)
      pass(60)
      expect(outcome(await refresh(person.refresh))).to.deep.equal(invalid)
      expect(outcome(await refresh(latest))).to.deep.equal(invalid)
    })

    it('the last three reset tokens work, until one of them is used', async () => {
      const { email } = await newPerson(running())
      const { client } = running()
      const tokens: string[] = []
      for (let count = 1; count <= 4; count++) {
        expect(outcome(await client.post('/api/password/reset/', { email }))).to.deep.equal(ok)
        await eventually(async () => {
          const added = (await running().resetTokens(email)).filter(token => !tokens.includes(token))
          expect(added).to.have.lengthOf(1)
          tokens.push(...added)
        })
        pass(61)
      }
      const validate = async (token: string) =>
        outcome(await client.post('/api/password/reset/validate_token/', { token }))
      const [first = '', ...lastThree] = tokens
      expect(await validate(first)).to.deep.equal(notFound)
      for (const token of lastThree) expect(await validate(token)).to.deep.equal(ok)
      const confirm = { token: lastThree[0], password: 'battery staple 43' }
      expect(outcome(await client.post('/api/password/reset/confirm/', confirm))).to.deep.equal(ok)
      for (const token of tokens) expect(await validate(token)).to.deep.equal(notFound)
    })

    it('a reset token is good for a day', async () => {
      const { email } = await newPerson(running())
      const { client } = running()
      await client.post('/api/password/reset/', { email })
      let token = ''
      await eventually(async () => {
        token = (await running().resetTokens(email))[0] ?? ''
        expect(token).not.to.equal('')
      })
      const validate = async () =>
        outcome(await client.post('/api/password/reset/validate_token/', { token }))
      pass(days - 60)
      expect(await validate()).to.deep.equal(ok)
      pass(120)
      expect(await validate()).to.deep.equal(notFound)
      const confirm = { token, password: 'battery staple 43' }
      expect(outcome(await client.post('/api/password/reset/confirm/', confirm))).to.deep.equal(notFound)
    })
  })
}
