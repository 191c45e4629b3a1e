import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { outcome, textIn } from '../../support/http-client.ts'
import { mailedToken } from './password-reset.ts'
import { goodPassword, newName, newPerson, type Person } from './people.ts'
import { type StartServer, withServer } from './test-server.ts'

const ok = { status: 200, body: { status: 'OK' } }
const toldSubject = 'Subject: You have an account already'

export function hiddenEmailCases(start: StartServer): void {
  describe('with HIDE_UNKNOWN_EMAILS', () => {
    const running = withServer(start, { HIDE_UNKNOWN_EMAILS: 'on' })
    const post = (path: string, json: unknown, headers = {}) => running().client.post(path, json, headers)
    const emailOf = async ({ path, auth }: Person) => textIn(await running().client.get(path, auth), 'email')

    /** How often the owner of an address was told that somebody gave it as theirs. */
    const toldTimes = async (email: string) =>
      (await running().mails(email)).filter(mail => mail.includes(toldSubject)).length

    it('a reset answers alike whether the address is known or not', async () => {
      const { email } = await newPerson(running())
      for (const address of [email, `${newName()}@example.org`]) {
        expect(outcome(await post('/api/password/reset/', { email: address }))).to.deep.equal(ok)
      }
      expect(await mailedToken(running(), email)).to.be.a('string')
    })

    it('a registration with an address that is taken answers as usual, and its owner is told', async () => {
      const owner = await newPerson(running())
      const email = owner.email.toUpperCase()
      const other = await newPerson(running(), { email })
      expect(await emailOf(other)).to.equal('')
      expect(await emailOf(owner)).to.equal(owner.email)
      await eventually(async () => expect(await toldTimes(owner.email)).to.equal(1))
      const [mail = ''] = await running().mails(owner.email)
      expect(mail)
        .to.contain(`Hello ${owner.username},`)
        .and.to.contain('somebody registered with this address')
      expect(mail).not.to.contain(other.username)
    })

    it('one with an address that is free gets it, and nobody is told', async () => {
      const person = await newPerson(running())
      expect(await emailOf(person)).to.equal(person.email)
      expect(await toldTimes(person.email)).to.equal(0)
    })

    it('an owner is told once a day, whatever others try', async () => {
      const owner = await newPerson(running())
      for (let count = 0; count < 3; count++) await newPerson(running(), { email: owner.email })
      await eventually(async () => expect(await toldTimes(owner.email)).to.equal(1))
      running().passTime(86_400)
      await newPerson(running(), { email: owner.email })
      await eventually(async () => expect(await toldTimes(owner.email)).to.equal(2))
    })

    it('a registration that is refused does not tell of the address either', async () => {
      const { username, email } = await newPerson(running())
      const refused = await post('/api/user/create/', { username, email, password: goodPassword })
      expect(outcome(refused)).to.deep.equal({
        status: 400,
        body: { username: ['A user with that username already exists.'] },
      })
      const invalid = await post('/api/user/create/', { username: '!', email, password: goodPassword })
      expect(Object.keys(Object(invalid.body))).to.deep.equal(['username'])
    })

    it('of several who register with one address at once, one gets it', async () => {
      const email = `${newName()}@example.org`
      const people = await Promise.all([1, 2, 3, 4].map(() => newPerson(running(), { email })))
      const emails = await Promise.all(people.map(emailOf))
      expect(emails.toSorted()).to.deep.equal(['', '', '', email])
    })

    it('who wants an address that somebody proved is not told, but its owner is', async () => {
      const owner = await newPerson(running())
      await post('/api/password/reset/', { email: owner.email })
      const reset = { token: await mailedToken(running(), owner.email), password: 'battery staple 43' }
      expect((await post('/api/password/reset/confirm/', reset)).status).to.equal(200)
      const { auth } = await newPerson(running())
      const change = { password: goodPassword, email: owner.email }
      expect(outcome(await post('/api/email/change/', change, auth))).to.deep.equal(ok)
      await eventually(async () => expect(await toldTimes(owner.email)).to.equal(1))
      const wrong = await post('/api/email/change/', { ...change, password: 'wrong' }, auth)
      expect(outcome(wrong)).to.deep.equal({ status: 400, body: { password: ['Wrong password.'] } })
    })
  })
}
