import { randomUUID } from 'node:crypto'
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

    it('the Idempotency-Key of a registration holds for its address too, whoever has that', async () => {
      const { email: taken } = await newPerson(running())
      for (const email of [taken, `${newName()}@example.org`, '']) {
        const [username, key] = [newName(), { 'Idempotency-Key': randomUUID() }]
        const register = (address: string) =>
          post('/api/user/create/', { username, email: address, password: goodPassword }, key)
        expect((await register(email)).status).to.equal(201)
        for (const other of [`${newName()}@example.org`, taken.toUpperCase()]) {
          expect((await register(other)).status, `${other} after ${email}`).to.equal(422)
        }
        expect(outcome(await register(email))).to.deep.equal({ status: 201, body: { email, username } })
      }
    })

    it('of several who register with one address at once, one gets it', async () => {
      const email = `${newName()}@example.org`
      const people = await Promise.all([1, 2, 3, 4].map(() => newPerson(running(), { email })))
      const emails = await Promise.all(people.map(emailOf))
      expect(emails.toSorted()).to.deep.equal(['', '', '', email])
    })

    /** Somebody who proved to control the address of the account. */
    async function newProvedPerson(): Promise<Person> {
      const person = await newPerson(running())
      await post('/api/password/reset/', { email: person.email })
      const reset = { token: await mailedToken(running(), person.email), password: 'battery staple 43' }
      expect((await post('/api/password/reset/confirm/', reset)).status).to.equal(200)
      return person
    }

    /** All that who asks for an address can find out of it: the address stands for itself, what is random for nothing. */
    async function traceOf(email: string): Promise<unknown> {
      const person = await newPerson(running())
      const { path, auth } = person
      const get = async (what: string) => running().client.get(`${path}${what}`, auth)
      const headers = { ...auth, 'Idempotency-Key': '"the key of this change"' }
      const ask = async (address: string) =>
        outcome(await post('/api/email/change/', { password: goodPassword, email: address }, headers))
      const answers = [await ask(email), await ask(email), await ask(`${newName()}@example.org`)]
      await eventually(async () => expect((await get('history/')).text).to.contain('MailSent'))
      await eventually(async () => expect((await get('')).headers.etag).to.contain('.2.owner.'))
      const told = [await get(''), await get('history/'), await get('export/')]
      const texts = told.map(({ headers: { etag }, text }) => `${etag ?? ''} ${text}`)
      return { answers, texts: texts.map(text => withoutWhatIsRandom(text, { ...person, wanted: email })) }
    }

    it('who wants an address finds nothing that tells whether somebody proved it', async () => {
      const { email } = await newProvedPerson()
      expect(await traceOf(email)).to.deep.equal(await traceOf(`${newName()}@example.org`))
      await eventually(async () => expect(await toldTimes(email)).to.equal(1))
      const [mail = ''] = (await running().mails(email)).filter(each => each.includes(toldSubject))
      expect(mail).to.contain('somebody gave this address for another account')
    })

    it('who wants an address that somebody proved is not told, but its owner is', async () => {
      const owner = await newProvedPerson()
      const { auth } = await newPerson(running())
      const change = { password: goodPassword, email: owner.email }
      expect(outcome(await post('/api/email/change/', change, auth))).to.deep.equal(ok)
      await eventually(async () => expect(await toldTimes(owner.email)).to.equal(1))
      const wrong = await post('/api/email/change/', { ...change, password: 'wrong' }, auth)
      expect(outcome(wrong)).to.deep.equal({ status: 400, body: { password: ['Wrong password.'] } })
    })
  })
}

/** Where the id of a user is: at the beginning of the tag, in fields, and as what `id` was changed to. */
const userIds = /(?<=^"|"(?:id|userId|actor)": ?|"field":"id","from":null,"to":)\d+/g

/** Times, ids and names as any account has its own. */
function withoutWhatIsRandom(text: string, { wanted, ...person }: Person & { wanted: string }): string {
  return text
    .replaceAll(wanted, '<wanted>')
    .replaceAll(person.email, '<own>')
    .replaceAll(person.username, '<name>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/[\w-]{22}(?=[@"])|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '<id>')
    .replaceAll(userIds, '<user>')
}
