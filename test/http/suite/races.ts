import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { type Answered, outcome, textIn } from '../../support/http-client.ts'
import { goodPassword, newName, newPerson } from './people.ts'
import type { Running } from './test-server.ts'

const times = 50

const statuses = (answers: readonly Answered[]) => answers.map(({ status }) => status).sort()

/** Does something so many times, one after the other. */
async function repeat(action: () => Promise<void>): Promise<void> {
  for (let time = 0; time < times; time++) await action()
}

export function raceCases(running: Running): void {
  const register = (fields: object) =>
    running().client.post('/api/user/create/', { password: goodPassword, ...fields })

  describe('at the same moment', () => {
    it('one of two registrations of a username is made, the other refused', () =>
      repeat(async () => {
        const username = newName()
        const answers = await Promise.all([
          register({ username }),
          register({ username: username.toUpperCase() }),
        ])
        expect(statuses(answers)).to.deep.equal([201, 400])
        expect(answers.find(({ status }) => status === 400)?.body).to.deep.equal({
          username: ['A user with that username already exists.'],
        })
      }))

    it('one of two registrations of an address is made, the other refused', () =>
      repeat(async () => {
        const email = `${newName()}@example.org`
        const [one, two] = [newName(), newName()]
        const answers = await Promise.all([
          register({ username: one, email }),
          register({ username: two, email }),
        ])
        expect(statuses(answers)).to.deep.equal([201, 400])
        expect(answers.find(({ status }) => status === 400)?.body).to.deep.equal({
          email: ['A user with that email address already exists.'],
        })
        // The name that was not taken in the end is to be had.
        const loser = answers[0]?.status === 400 ? one : two
        expect((await register({ username: loser })).status).to.equal(201)
      }))

    it('two edits of different fields both hold', async () => {
      const { path, auth } = await newPerson(running())
      await repeat(async () => {
        const [bio, location] = [newName(), newName()]
        const { client } = running()
        const answers = await Promise.all([
          client.put(path, { bio }, auth),
          client.put(path, { location }, auth),
        ])
        expect(statuses(answers)).to.deep.equal([200, 200])
        expect((await client.get(path)).body).to.include({ bio, location })
      })
    })

    it('ten refreshes with one token give one session, and nobody is logged out', async () => {
      const person = await newPerson(running())
      let { refresh } = person
      await repeat(async () => {
        const { client } = running()
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => client.post('/api/token/refresh/', { refresh })),
        )
        const next = new Set(answers.map(answered => textIn(answered, 'refresh')))
        expect([...next]).to.have.lengthOf(1)
        expect(next).not.to.include(refresh)
        refresh = [...next][0] ?? ''
      })
    })

    it('a reset token is used once', async () => {
      const { client } = running()
      await repeat(async () => {
        const { email } = await newPerson(running())
        await client.post('/api/password/reset/', { email })
        let token: string | undefined
        await eventually(async () => {
          token = (await running().resetTokens(email))[0]
          expect(token).to.be.a('string')
        })
        const confirm = () =>
          client.post('/api/password/reset/confirm/', { token, password: 'battery staple 43' })
        const answers = await Promise.all([confirm(), confirm()])
        expect(statuses(answers)).to.deep.equal([200, 404])
        expect(answers.map(outcome)).to.deep.include({ status: 404, body: { detail: 'Not found.' } })
      })
    })
  })
}
