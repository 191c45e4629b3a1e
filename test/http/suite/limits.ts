import { expect } from 'chai'
import { defaultRules, type LimitName } from '../../../src/limits/rules.ts'
import { eventually } from '../../support/eventually.ts'
import { type Answered, outcome, textIn } from '../../support/http-client.ts'
import { claimsIn, goodPassword, newName, newPerson, type Person } from './people.ts'
import { type StartServer, withServer } from './test-server.ts'

const throttled = { status: 429, body: { detail: 'Request was throttled.' } }
const from = (address: string) => ({ 'X-Forwarded-For': address })

/** Every limit low, and whoever asks says what address counts. */
const low = {
  TRUST_PROXY: 'on',
  RATE_LIMITS: [
    'logins-per-address=6/600',
    'logins-per-account=3/600',
    'sessions-per-account=22/600',
    'passwords-per-account=2/600',
    'registrations-per-address=2/600',
    'resets-per-address=3/600',
    'mails-per-mailbox=2/600',
    'email-changes-per-address=4/600',
    'email-changes-per-account=3/600',
    'email-changes-per-mailbox=2/600',
    'notices-per-mailbox=4/600',
    'edits-per-account=6/600',
    'searches-per-address=2/600',
  ].join(','),
}

let addresses = 0
/** An address far from all others. */
const newAddress = () => `198.${18 + Math.floor(++addresses / 250)}.${addresses % 250}.7`

/** An address that nobody has. */
const newEmail = () => `${newName('address')}@example.org`

export function limitCases(start: StartServer): void {
  describe('with limits', () => {
    const running = withServer(start, low)
    const person = (fields = {}) => newPerson(running(), fields, from(newAddress()))
    const logIn = (username: string, address: string, password = 'wrong') =>
      running().client.post('/api/token/obtain/', { username, password }, from(address))
    const search = (address: string, path = '/api/users/?query=x') =>
      running().client.get(path, from(address))

    const reset = (email: string, address: string) =>
      running().client.post('/api/password/reset/', { email }, from(address))
    const changeEmail = ({ auth }: Person, email: string, password = goodPassword, address = newAddress()) =>
      running().client.post('/api/email/change/', { password, email }, { ...auth, ...from(address) })
    const changePassword = ({ auth }: Pick<Person, 'auth'>, old: string, next = goodPassword) =>
      running().client.post('/api/password/change/', { old_password: old, new_password: next }, auth)

    async function failUntilThrottled(username: string, address: string): Promise<void> {
      for (let count = 0; count < 3; count++) expect((await logIn(username, address)).status).to.equal(401)
      expect(outcome(await logIn(username, address))).to.deep.equal(throttled)
    }

    it('who does something too often is told when to come again', async () => {
      const address = newAddress()
      expect(limitsIn(await search(address))).to.deep.equal({ policy: '2;w=600', limit: '2', remaining: '1' })
      expect(limitsIn(await search(address))).to.deep.equal({ policy: '2;w=600', limit: '2', remaining: '0' })
      const refused = await search(address)
      expect(outcome(refused)).to.deep.equal(throttled)
      expect(limitsIn(refused)).to.deep.equal({ policy: '2;w=600', limit: '2', remaining: '0' })
      expect(Number(refused.headers['retry-after'])).to.be.within(590, 600)
      expect(refused.headers['ratelimit-reset']).to.equal(refused.headers['retry-after'])
      expect((await search(newAddress())).status).to.equal(200)
    })

    it('a limit comes after path and method, and before all else', async () => {
      const address = newAddress()
      const register = (type = 'application/json') =>
        running().client.ask('POST', '/api/user/create/', {
          raw: '{}',
          headers: { ...from(address), 'Content-Type': type },
        })
      expect((await register()).status).to.equal(400)
      expect((await register()).status).to.equal(400)
      expect(outcome(await register('text/plain'))).to.deep.equal(throttled)
      expect((await running().client.get('/api/user/create/', from(address))).status).to.equal(405)
      expect((await running().client.get('/api/user/none/', from(address))).status).to.equal(404)
      for (let count = 0; count < 2; count++) await search(address)
      const headers = { ...from(address), Authorization: 'Bearer nonsense' }
      expect((await running().client.get('/api/users/', headers)).status).to.equal(429)
    })

    it('IPv6 addresses of one network count as one', async () => {
      const network = `2001:db8:${(++addresses).toString(16)}:1`
      await search(`${network}::1`)
      await search(`${network}:ffff:ffff:ffff:ffff`)
      expect((await search(`${network}::2`)).status).to.equal(429)
      expect((await search(`${network.replace(/:1$/, ':2')}::1`)).status).to.equal(200)
    })

    it('the address is the one that the proxy added', async () => {
      const address = newAddress()
      for (let count = 0; count < 2; count++) await search(`203.0.113.${count}, ${address}`)
      expect((await search(`203.0.113.9, ${address}`)).status).to.equal(429)
    })

    it('profiles are shown as often as anybody likes', async () => {
      const { path } = await person()
      const address = newAddress()
      for (let count = 0; count < 10; count++) {
        const shown = await running().client.get(path, from(address))
        expect(shown.status).to.equal(200)
        expect(shown.headers).not.to.have.property('ratelimit-limit')
      }
    })

    it('logins fail only so often for a name, whether or not somebody has it', async () => {
      const { username } = await person()
      for (const name of [username, newName()]) {
        await failUntilThrottled(name, newAddress())
        expect(outcome(await logIn(name.toUpperCase(), newAddress(), goodPassword))).to.deep.equal(throttled)
      }
    })

    it('logins fail only so often from an address, whatever the name', async () => {
      const address = newAddress()
      for (let count = 0; count < 6; count++) expect((await logIn(newName(), address)).status).to.equal(401)
      expect(outcome(await logIn(newName(), address))).to.deep.equal(throttled)
    })

    it('logins beyond a limit are told so, whatever is wrong with their bodies, and the owner gets in', async () => {
      const address = newAddress()
      const { username } = await newPerson(running(), {}, from(address))
      const send = (raw: string, type = 'application/json') =>
        running().client.ask('POST', '/api/token/obtain/', {
          raw,
          headers: { ...from(address), 'Content-Type': type },
        })
      const bodies = [['{}'], ['{'], ['{}', 'text/plain'], [`"${'x'.repeat(65_536)}"`]] as const
      const statuses = async () => {
        const found: number[] = []
        for (const [raw, type] of bodies) found.push((await send(raw, type)).status)
        return found
      }
      for (let count = 0; count < 6; count++) {
        expect(await statuses()).to.deep.equal([400, 400, 415, 413])
        expect((await logIn(newName(), address)).status).to.equal(401)
      }
      expect(await statuses()).to.deep.equal([429, 429, 429, 429])
      expect(outcome(await send('{'))).to.deep.equal(throttled)
      expect((await logIn(username, address, goodPassword)).status).to.equal(200)
    })

    it('a burst of logins fails no more often', async () => {
      const { username } = await person()
      const burst = Array.from({ length: 20 }, () => logIn(username, newAddress()))
      const answers = await Promise.all(burst)
      expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([
        ...[401, 401, 401],
        ...Array.from({ length: 17 }, () => 429),
      ])
    })

    it('a burst of right logins all get in', async () => {
      const { username } = await person()
      const burst = Array.from({ length: 20 }, () => logIn(username, newAddress(), goodPassword))
      const answers = await Promise.all(burst)
      expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]))
    })

    it('a stranger cannot lock the owner out of where the owner logged in', async () => {
      const home = newAddress()
      const { username } = await newPerson(running(), {}, from(home))
      await failUntilThrottled(username, newAddress())
      expect((await logIn(username, newAddress(), goodPassword)).status).to.equal(429)
      expect((await logIn(username, home)).status).to.equal(401)
      expect((await logIn(username, home, goodPassword)).status).to.equal(200)
      await logIn(username, home)
      await logIn(username, home)
      expect(outcome(await logIn(username, home, goodPassword))).to.deep.equal(throttled)
    })

    /** Somebody who is logged in, in another session from `home` too, of which the list of sessions knows. */
    async function withSessionAt(home: string): Promise<{ username: string; auth: Person['auth'] }> {
      const { username, refresh } = await person()
      const refreshed = await running().client.post('/api/token/refresh/', { refresh }, from(home))
      expect(refreshed.status).to.equal(200)
      // The asking session is listed as the log has it, the others as their read model does.
      const another = await logIn(username, newAddress(), goodPassword)
      const auth = { Authorization: `Bearer ${textIn(another, 'access')}` }
      await eventually(async () => {
        const listed = await running().client.get('/api/sessions/', auth)
        expect(listed.text).to.contain(home.replace(/\.\d+$/, '.0/24'))
      })
      return { username, auth }
    }

    it('nor out of where a session of the owner goes on', async () => {
      const home = newAddress()
      const { username } = await withSessionAt(home)
      await failUntilThrottled(username, newAddress())
      expect((await logIn(username, home, goodPassword)).status).to.equal(200)
    })

    it('but out of where the owner ended it with the others', async () => {
      const home = newAddress()
      const { username, auth } = await withSessionAt(home)
      expect((await running().client.ask('DELETE', '/api/sessions/', { headers: auth })).status).to.equal(204)
      await failUntilThrottled(username, newAddress())
      expect(outcome(await logIn(username, home, goodPassword))).to.deep.equal(throttled)
    })

    it('what an account does is limited, wherever it asks from', async () => {
      const one = await person()
      const edit = ({ path, auth }: Person, bio: string) =>
        running().client.put(path, { bio }, { ...auth, ...from(newAddress()) })
      for (let count = 0; count < 6; count++) {
        expect((await edit(one, `edit ${count}`)).status).to.equal(200)
      }
      expect(outcome(await edit(one, 'one more'))).to.deep.equal(throttled)
      expect((await edit(await person(), 'd')).status).to.equal(200)
    })

    it('whatever an account does is an edit, if it is in the log', async () => {
      const doing: Record<string, (person: Person) => Promise<Answered>> = {
        'ends other sessions': ({ auth }) =>
          running().client.ask('DELETE', '/api/sessions/', { headers: auth }),
        'ends a session': ({ auth, access }) =>
          running().client.ask('DELETE', `/api/sessions/${claimsIn(access).sid}/`, { headers: auth }),
        'changes the password': someone => changePassword(someone, goodPassword),
        'changes the address': someone => changeEmail(someone, newEmail()),
        'goes away': ({ auth, path }) =>
          running().client.ask('DELETE', path, { json: { password: goodPassword }, headers: auth }),
      }
      for (const [what, does] of Object.entries(doing)) {
        const someone = await person()
        for (let count = 0; count < 6; count++) {
          const ended = await running().client.ask('DELETE', '/api/sessions/', { headers: someone.auth })
          expect(ended.status, what).to.equal(204)
        }
        const refused = await does(someone)
        expect(outcome(refused), what).to.deep.equal(throttled)
        expect(await running().eventsOf(String(refused.headers['x-request-id'])), what).to.deep.equal([])
      }
    })

    it('an account begins only so many sessions, and who fails takes none of them', async () => {
      const { username, path } = await person()
      await logIn(username, newAddress())
      for (let count = 0; count < 21; count++) {
        expect((await logIn(username, newAddress(), goodPassword)).status).to.equal(200)
      }
      expect(outcome(await logIn(username, newAddress(), goodPassword))).to.deep.equal(throttled)
      expect((await logIn(username, newAddress())).status).to.equal(401)
      expect((await running().client.get(path)).status).to.equal(200)
    })

    it('who is logged in cannot guess the password', async () => {
      const someone = await person()
      const email = () => changeEmail(someone, newEmail(), 'c')
      expect((await changePassword(someone, 'a')).status).to.equal(400)
      expect((await email()).status).to.equal(400)
      expect(outcome(await changePassword(someone, goodPassword))).to.deep.equal(throttled)
      expect(outcome(await email())).to.deep.equal(throttled)
      const erasure = { json: { password: goodPassword }, headers: someone.auth }
      expect(outcome(await running().client.ask('DELETE', someone.path, erasure))).to.deep.equal(throttled)
      expect((await logIn(someone.username, newAddress(), goodPassword)).status).to.equal(200)
    })

    it('no mailbox is filled with resets, whoever asks for them', async () => {
      const { email } = await person()
      expect((await reset(email, newAddress())).status).to.equal(200)
      expect((await reset(email.toUpperCase(), newAddress())).status).to.equal(200)
      expect(outcome(await reset(email, newAddress()))).to.deep.equal(throttled)
      const address = newAddress()
      for (let count = 0; count < 3; count++) expect((await reset(newEmail(), address)).status).to.equal(400)
      expect(outcome(await reset(newEmail(), address))).to.deep.equal(throttled)
    })

    it('who asks for the address of another takes nothing away from its resets', async () => {
      const { email } = await person()
      const [one, two] = [await person(), await person()]
      for (let count = 0; count < 2; count++) {
        expect((await changeEmail(one, email, 'wrong')).status).to.equal(400)
      }
      expect(outcome(await changeEmail(one, email, 'wrong'))).to.deep.equal(throttled)
      for (let count = 0; count < 2; count++) expect((await changeEmail(two, email)).status).to.equal(200)
      expect(outcome(await changeEmail(two, email))).to.deep.equal(throttled)
      expect((await reset(email, newAddress())).status).to.equal(200)
      await eventually(async () => expect(await running().resetTokens(email)).to.have.lengthOf(2))
    })

    it('no mailbox is filled by those who want its address, and nothing refused counts', async () => {
      const email = newEmail()
      const asking = await Promise.all([person(), person(), person()])
      expect((await changeEmail(asking[0], email, 'wrong')).status).to.equal(400)
      expect((await changeEmail(asking[0], email)).status).to.equal(200)
      expect((await changeEmail(asking[1], email.toUpperCase())).status).to.equal(200)
      for (let count = 0; count < 3; count++) {
        expect(outcome(await changeEmail(asking[2], email))).to.deep.equal(throttled)
      }
      expect((await changeEmail(asking[2], newEmail())).status).to.equal(200)
    })

    it('an account, or an address, asks only for so many other addresses', async () => {
      const one = await person({ email: '' })
      for (let count = 0; count < 3; count++) {
        expect((await changeEmail(one, newEmail())).status).to.equal(200)
      }
      expect(outcome(await changeEmail(one, newEmail()))).to.deep.equal(throttled)
      const address = newAddress()
      for (let count = 0; count < 4; count++) {
        expect((await changeEmail(await person(), newEmail(), goodPassword, address)).status).to.equal(200)
      }
      expect(outcome(await changeEmail(await person(), newEmail(), goodPassword, address))).to.deep.equal(
        throttled,
      )
    })

    it('no mailbox is filled with notices by an account that gave its address', async () => {
      const { auth, email, username, path } = await person()
      const passwords = [goodPassword, 'battery staple 43']
      for (let count = 0; count < 4; count++) {
        const [old = '', next = ''] = count % 2 === 0 ? passwords : passwords.toReversed()
        expect((await changePassword({ auth }, old, next)).status).to.equal(200)
      }
      expect(outcome(await changePassword({ auth }, goodPassword))).to.deep.equal(throttled)
      expect((await logIn(username, newAddress(), goodPassword)).status).to.equal(200)
      await eventually(async () => expect(await running().mails(email)).to.have.lengthOf(4))
      const erasure = { json: { password: goodPassword }, headers: auth }
      expect((await running().client.ask('DELETE', path, erasure)).status).to.equal(204)
      const next = await person({ email })
      expect(outcome(await changePassword(next, goodPassword))).to.deep.equal(throttled)
      expect(outcome(await changeEmail(next, newEmail()))).to.deep.equal(throttled)
    })

    it('a burst of changes of the password tells no more often', async () => {
      const someone = await person()
      const burst = Array.from({ length: 20 }, () => changePassword(someone, goodPassword))
      const answers = await Promise.all(burst)
      expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200, 429]))
      expect(answers.filter(({ status }) => status === 200).length).to.be.at.most(4)
    })

    it('what is counted of an account goes with it, but not what was mailed to its mailbox', async () => {
      const home = newAddress()
      const { username, email, path, auth } = await newPerson(running(), {}, from(home))
      await failUntilThrottled(username, newAddress())
      for (let count = 0; count < 3; count++) expect((await logIn(username, home)).status).to.equal(401)
      for (let count = 0; count < 2; count++) expect((await reset(email, newAddress())).status).to.equal(200)
      const erased = await running().client.ask('DELETE', path, {
        json: { password: goodPassword },
        headers: auth,
      })
      expect(erased.status).to.equal(204)
      await eventually(async () => expect((await logIn(username, newAddress())).status).to.equal(401))
      expect(outcome(await reset(email, newAddress()))).to.deep.equal(throttled)
    })

    it('a failed login is a line in the log that names nobody, and no event', async () => {
      const { username } = await person()
      const address = newAddress()
      const id = newName('request')
      const headers = { ...from(address), 'X-Request-Id': id }
      await running().client.post('/api/token/obtain/', { username, password: 'a wrong one' }, headers)
      await eventually(async () => {
        const lines = (await running().logged()).filter(line => line.id === id)
        expect(lines.map(line => line.msg)).to.include('a login failed')
        const text = JSON.stringify(lines)
        for (const secret of [username, address, 'a wrong one']) expect(text).not.to.contain(secret)
      })
      expect(await running().eventsOf(id)).to.deep.equal([])
    })
  })

  describe('with limits of two', () => {
    const Origin = 'https://app.example'
    const names = Object.keys(defaultRules)
    const running = withServer(start, {
      TRUST_PROXY: 'on',
      RATE_LIMITS: names.map(name => `${name}=2/600`).join(','),
    })
    const headers = (address = newAddress(), auth = {}) => ({ ...from(address), ...auth, Origin })
    const post = (path: string, json: unknown, address?: string, auth = {}) =>
      running().client.post(path, json, headers(address, auth))
    const logIn = (username: string, password: string, address?: string) =>
      post('/api/token/obtain/', { username, password }, address)
    const person = () => newPerson(running(), {}, from(newAddress()))
    const askReset = (email: string, address?: string) => post('/api/password/reset/', { email }, address)
    const changeEmail = ({ auth }: Person, email: string, password = goodPassword, address = newAddress()) =>
      post('/api/email/change/', { password, email }, address, auth)

    /** What is done twice and once more, by one person, from one address, for each limit. */
    const doing: Record<LimitName, (someone: Person, address: string) => Promise<Answered>> = {
      'logins-per-address': (_, address) => logIn(newName(), 'wrong', address),
      'logins-per-account': ({ username }) => logIn(username, 'wrong'),
      'sessions-per-account': ({ username }) => logIn(username, goodPassword),
      'passwords-per-account': ({ auth, path }) =>
        running().client.ask('DELETE', path, {
          json: { password: 'wrong' },
          headers: headers(undefined, auth),
        }),
      'registrations-per-address': (_, address) => post('/api/user/create/', {}, address),
      'resets-per-address': (_, address) => askReset(newEmail(), address),
      'mails-per-mailbox': ({ email }) => askReset(email),
      'email-changes-per-address': (_, address) => post('/api/email/change/', {}, address),
      'email-changes-per-account': someone => changeEmail(someone, newEmail()),
      'email-changes-per-mailbox': async ({ email }) => changeEmail(await person(), email),
      'notices-per-mailbox': ({ auth }) =>
        post(
          '/api/password/change/',
          { old_password: goodPassword, new_password: goodPassword },
          newAddress(),
          auth,
        ),
      'edits-per-account': ({ auth }) =>
        running().client.ask('DELETE', '/api/sessions/', { headers: headers(undefined, auth) }),
      'searches-per-address': (_, address) => running().client.get('/api/users/', headers(address)),
    }

    for (const [limit, does] of Object.entries(doing)) {
      it(`${limit} tells how it stands, which pages may read`, async () => {
        const [someone, address] = [await person(), newAddress()]
        let answered = await does(someone, address)
        for (let count = 0; count < 2; count++) {
          if (answered.status !== 429) answered = await does(someone, address)
        }
        expect(outcome(answered)).to.deep.equal(throttled)
        expect(limitsIn(answered)).to.deep.equal({ policy: '2;w=600', limit: '2', remaining: '0' })
        expect(Number(answered.headers['retry-after'])).to.be.within(1, 600)
        expect(answered.headers['ratelimit-reset']).to.equal(answered.headers['retry-after'])
        expect(answered.headers['access-control-expose-headers']).to.contain('RateLimit-Policy')
      })
    }

    it('metrics count what was refused, by its limit, and failed logins', async () => {
      const counted = async (sample: string) => {
        const page = await (await fetch(`${running().opsUrl}/metrics`)).text()
        const line = page.split('\n').find(each => each.startsWith(`${sample} `))
        return Number(line?.split(' ').at(-1) ?? 0)
      }
      const failed = () => counted('roster_failed_logins_total')
      const refused = () => counted('roster_throttled_total{limit="logins-per-address"}')
      const [failedBefore, refusedBefore] = [await failed(), await refused()]
      const address = newAddress()
      for (let count = 0; count < 5; count++) await logIn(newName(), 'wrong', address)
      expect(await failed()).to.equal(failedBefore + 2)
      expect(await refused()).to.equal(refusedBefore + 3)
    })
  })

  describe('with the limits as they are by default', () => {
    const running = withServer(start, { RATE_LIMITS: 'on' })

    it('people notice nothing of them', async () => {
      for (let count = 0; count < 5; count++) {
        const { path, auth } = await newPerson(running())
        const edited = await running().client.put(path, { bio: 'x' }, auth)
        expect(edited.headers).to.include({ 'ratelimit-limit': '120', 'ratelimit-remaining': '119' })
        expect((await running().client.get('/api/users/?query=user')).status).to.equal(200)
      }
    })
  })
}

function limitsIn({ headers }: Answered) {
  return {
    policy: headers['ratelimit-policy'],
    limit: headers['ratelimit-limit'],
    remaining: headers['ratelimit-remaining'],
  }
}
