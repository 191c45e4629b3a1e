import { expect } from 'chai'
import { createHttpClient, type HttpClient, textIn } from '../support/http-client.ts'

/** A running Roster: where it listens, and what the reset mail to an address said last. */
export type RacingServer = {
  /** The addresses of its api processes; one is enough. */
  urls: readonly string[]
  resetToken(email: string): Promise<string>
}

const times = 50
const password = 'Bosphorus-1453'
let made = 0
const freshName = () => `racer_${process.pid}_${made++}`

/** What happens when two do the same at the same moment, fifty times each, over real HTTP. */
export function raceSuite(name: string, started: () => RacingServer): void {
  describe(`At the same moment, ${name},`, function () {
    this.timeout(60_000)
    const clients: HttpClient[] = []

    before(() => {
      clients.push(...started().urls.map(createHttpClient))
    })
    after(() => {
      for (const client of clients) client.close()
    })

    const client = (index: number): HttpClient => {
      const chosen = clients[index % clients.length]
      if (!chosen) throw new Error('expected a started server, found none')
      return chosen
    }
    const register = (index: number, username: string, email = '') =>
      client(index).post('/api/user/create/', { username, email, password })
    const login = async (username: string) => {
      const answered = await client(0).post('/api/token/obtain/', { username, password })
      return { access: textIn(answered, 'access'), refresh: textIn(answered, 'refresh') }
    }
    const refresh = (index: number, token: string) =>
      client(index).post('/api/token/refresh/', { refresh: token })
    const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).sort()

    async function repeatedly(race: (round: number) => Promise<void>): Promise<void> {
      // A few rounds at a time: each is a race of its own, on names of its own.
      const rounds = Array.from({ length: times }, (_, round) => round)
      const lanes = [0, 1, 2, 3].map(async lane => {
        for (const round of rounds.filter(candidate => candidate % 4 === lane)) await race(round)
      })
      await Promise.all(lanes)
    }

    it('two registrations of one username: one gets it, the other is told that it is taken', async () => {
      await repeatedly(async () => {
        const username = freshName()
        const answers = await Promise.all([register(0, username), register(1, username.toUpperCase())])
        expect(statuses(answers)).to.deep.equal([201, 400])
        expect(answers.find(({ status }) => status === 400)?.body).to.deep.equal({
          username: ['A user with that username already exists.'],
        })
      })
    })

    it('two registrations of one address: one gets it, the other is told that it is taken, and its username is free', async () => {
      await repeatedly(async () => {
        const email = `${freshName()}@example.org`
        const usernames = [freshName(), freshName()]
        const answers = await Promise.all(
          usernames.map((username, index) => register(index, username, email)),
        )
        expect(statuses(answers)).to.deep.equal([201, 400])
        const loser = answers.findIndex(({ status }) => status === 400)
        expect(answers[loser]?.body).to.deep.equal({
          email: ['A user with that email address already exists.'],
        })
        expect((await register(0, usernames[loser] ?? '')).status).to.equal(201)
      })
    })

    it('two edits of different fields: both hold', async () => {
      const username = freshName()
      await register(0, username)
      const { access } = await login(username)
      const authorization = { Authorization: `Bearer ${access}` }
      const edit = (index: number, fields: object) =>
        client(index).put(`/api/users/${username}/`, fields, authorization)
      for (let round = 0; round < times; round++) {
        const edits = [{ first_name: `first ${round}` }, { location: `place ${round}` }]
        const answers = await Promise.all(edits.map((fields, index) => edit(index, fields)))
        expect(statuses(answers)).to.deep.equal([200, 200])
        const seen = await client(round).get(`/api/users/${username}/`, authorization)
        expect(seen.body).to.include({ first_name: `first ${round}`, location: `place ${round}` })
      }
    })

    it('ten refreshes of one token: one session goes on, and nobody is logged out', async () => {
      const username = freshName()
      await register(0, username)
      await repeatedly(async () => {
        const { refresh: token } = await login(username)
        const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => refresh(index, token)))
        expect(new Set(statuses(answers))).to.deep.equal(new Set([200]))
        const tokens = new Set(answers.map(answered => textIn(answered, 'refresh')))
        expect(tokens.size, 'all tabs hold the same token').to.equal(1)
        const [next] = tokens
        expect((await refresh(0, next ?? '')).status).to.equal(200)
      })
    })

    it('two uses of one reset token: one sets its password, the other finds nothing', async () => {
      await repeatedly(async () => {
        const username = freshName()
        const email = `${username}@example.org`
        await register(0, username, email)
        expect((await client(0).post('/api/password/reset/', { email })).status).to.equal(200)
        const token = await started().resetToken(email)
        const passwords = ['Galata-Tower-1348', 'Hagia-Sophia-0537']
        const answers = await Promise.all(
          passwords.map((chosen, index) =>
            client(index).post('/api/password/reset/confirm/', { token, password: chosen }),
          ),
        )
        expect(statuses(answers)).to.deep.equal([200, 404])
        const winner = passwords[answers.findIndex(({ status }) => status === 200)]
        const answered = await client(0).post('/api/token/obtain/', { username, password: winner })
        expect(answered.status).to.equal(200)
      })
    })
  })
}
