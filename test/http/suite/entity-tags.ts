import { expect } from 'chai'
import { type Answered, outcome } from '../../support/http-client.ts'
import { goodPassword, newPerson, type Person } from './people.ts'
import type { Running } from './test-server.ts'

const moved = {
  status: 412,
  body: { detail: 'The profile is not as expected by If-Match or If-None-Match any more.' },
}

export function entityTagCases(running: Running): void {
  const ask = (method: string, person: Person, headers: object, json?: object) =>
    running().client.ask(method, person.path, { ...(json ? { json } : {}), headers: { ...headers } })
  const tagOf = ({ headers }: Answered) => headers.etag ?? ''
  /** The tag that the owner sees. */
  const ownTag = async (person: Person) => tagOf(await ask('GET', person, person.auth))
  /** The tag that everybody else sees. */
  const shownTag = async (person: Person) => tagOf(await ask('GET', person, {}))
  const bioOf = async (person: Person) => (await ask('GET', person, {})).body

  describe('a profile with an ETag', () => {
    it('has one for its owner and one for everybody else, whatever the path and method', async () => {
      const person = await newPerson(running())
      const { client } = running()
      const own = await ownTag(person)
      const shown = await shownTag(person)
      expect(own).to.match(/^"\d+\.\d+\.owner\.\d+"$/)
      expect(shown).to.match(new RegExp(`^"${person.id}\\.[\\w-]{22}\\.public\\.\\d+"$`))
      expect(tagOf(await client.get(`/api/users/${person.id}/`))).to.equal(shown)
      expect(tagOf(await ask('HEAD', person, person.auth))).to.equal(own)
      const other = await newPerson(running())
      expect(tagOf(await ask('GET', person, other.auth))).to.equal(shown)
      expect(await ownTag(other)).not.to.equal(own)
    })

    it('has another one after an edit, of which PATCH tells', async () => {
      const person = await newPerson(running())
      const before = await ownTag(person)
      const put = await ask('PUT', person, person.auth, { bio: 'one' })
      expect(put.headers).not.to.have.property('etag')
      const between = await ownTag(person)
      expect(between).not.to.equal(before)
      const patched = await ask('PATCH', person, person.auth, { bio: 'two' })
      expect(tagOf(patched)).not.to.equal(between)
      expect(await ownTag(person)).to.equal(tagOf(patched))
    })

    it('has for others the same one until what is shown to them changes', async () => {
      const person = await newPerson(running())
      const { client } = running()
      const [own, shown] = [await ownTag(person), await shownTag(person)]
      await client.post('/api/password/reset/', { email: person.email })
      const change = { old_password: goodPassword, new_password: 'battery staple 43' }
      expect((await client.post('/api/password/change/', change, person.auth)).status).to.equal(200)
      expect(await ownTag(person)).not.to.equal(own)
      expect(await shownTag(person)).to.equal(shown)
      expect((await ask('GET', person, { 'If-None-Match': shown })).status).to.equal(304)
      expect((await ask('GET', person, { 'If-Match': shown })).status).to.equal(200)

      await ask('PATCH', person, person.auth, { bio: 'new' })
      const edited = await shownTag(person)
      expect(edited).not.to.equal(shown)
      expect((await ask('GET', person, { 'If-None-Match': shown })).status).to.equal(200)
      expect(outcome(await ask('GET', person, { 'If-Match': shown }))).to.deep.equal(moved)
      await ask('PATCH', person, person.auth, { bio: '' })
      expect(await shownTag(person)).to.equal(shown)

      await ask('PATCH', person, person.auth, { privacy: true })
      const card = await shownTag(person)
      expect(card).not.to.equal(shown)
      await ask('PATCH', person, person.auth, { bio: 'hidden' })
      expect(await shownTag(person)).to.equal(card)
    })

    it('is not sent again to whoever has it, with GET and HEAD', async () => {
      const person = await newPerson(running())
      const whole = await ask('GET', person, person.auth)
      const tag = tagOf(whole)
      for (const method of ['GET', 'HEAD']) {
        for (const list of [tag, `W/${tag}`, `"other", ${tag}`, `"a,b" ,W/${tag},`, '*']) {
          const answered = await ask(method, person, { ...person.auth, 'If-None-Match': list })
          expect(answered, list).to.include({ status: 304, text: '' })
          for (const name of ['etag', 'cache-control', 'vary']) {
            expect(answered.headers[name], name).to.equal(whole.headers[name])
          }
          expect(answered.headers).to.include.keys('date', 'x-request-id')
          expect(answered.headers).not.to.have.any.keys('content-type', 'content-length')
        }
      }
    })

    it('is sent to whoever has another one, or another view of it', async () => {
      const person = await newPerson(running())
      const own = await ownTag(person)
      for (const list of ['"other"', await shownTag(person), own.slice(1, -1), '', 'W/']) {
        const answered = await ask('GET', person, { ...person.auth, 'If-None-Match': list })
        expect(answered.status, list).to.equal(200)
      }
      const shown = await ask('GET', person, { 'If-None-Match': own })
      expect(shown.status).to.equal(200)
      await ask('PUT', person, person.auth, { bio: 'new' })
      expect((await ask('GET', person, { ...person.auth, 'If-None-Match': own })).body).to.include({
        bio: 'new',
      })
    })

    it('is sent only as If-Match says', async () => {
      const person = await newPerson(running())
      const tag = await ownTag(person)
      for (const list of [tag, `"other", ${tag}`, '*']) {
        expect((await ask('GET', person, { ...person.auth, 'If-Match': list })).status, list).to.equal(200)
      }
      const refused = await ask('GET', person, { ...person.auth, 'If-Match': `W/${tag}` })
      expect(outcome(refused)).to.deep.equal(moved)
      const nobody = await running().client.get('/api/users/nobody!/', { 'If-Match': '*' })
      expect(nobody.status).to.equal(404)
    })

    it('is changed only where it was not changed meanwhile', async () => {
      for (const method of ['PUT', 'PATCH']) {
        const person = await newPerson(running())
        const tag = await ownTag(person)
        const edit = (list: string, bio: string) =>
          ask(method, person, { ...person.auth, 'If-Match': list }, { bio })
        expect((await edit(tag, 'one')).status).to.equal(200)
        expect(outcome(await edit(tag, 'two'))).to.deep.equal(moved)
        expect(outcome(await edit(tag, 'one'))).to.deep.equal(moved)
        const now = await ownTag(person)
        for (const list of [
          `W/${now}`,
          await shownTag(person),
          now.replace('owner', 'public'),
          '"other"',
          '',
          now.slice(1, -1),
        ]) {
          expect(outcome(await edit(list, 'three')), list).to.deep.equal(moved)
        }
        expect(await bioOf(person)).to.include({ bio: 'one' })
        expect((await edit(`"other", ${now}`, 'four')).status).to.equal(200)
        expect((await edit('*', 'five')).status).to.equal(200)
        expect(await bioOf(person)).to.include({ bio: 'five' })
      }
    })

    it('is not changed where If-None-Match names it', async () => {
      const person = await newPerson(running())
      const tag = await ownTag(person)
      for (const list of ['*', `W/${tag}`, tag]) {
        const answered = await ask('PUT', person, { ...person.auth, 'If-None-Match': list }, { bio: 'x' })
        expect(outcome(answered), list).to.deep.equal(moved)
      }
      const answered = await ask('PUT', person, { ...person.auth, 'If-None-Match': '"other"' }, { bio: 'x' })
      expect(answered.status).to.equal(200)
    })

    it('is changed by one of ten who saw the same', async () => {
      const person = await newPerson(running())
      const tag = await ownTag(person)
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          ask('PUT', person, { ...person.auth, 'If-Match': tag }, { bio: `${index}` }),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, ...Array(9).fill(412)])
    })

    it('is answered as it was to a repeated edit, whatever it is now', async () => {
      const person = await newPerson(running())
      const headers = {
        ...{ ...person.auth, 'If-Match': await ownTag(person), 'Idempotency-Key': '"the key of this edit"' },
      }
      const first = await ask('PATCH', person, headers, { bio: 'one' })
      await ask('PUT', person, person.auth, { bio: 'two' })
      const again = await ask('PATCH', person, headers, { bio: 'one' })
      expect(outcome(again)).to.deep.equal(outcome(first))
      expect(tagOf(again)).to.equal(tagOf(first))
    })

    it('is not erased where it was changed meanwhile', async () => {
      const person = await newPerson(running())
      const tag = await ownTag(person)
      await ask('PUT', person, person.auth, { bio: 'new' })
      const erase = (list: string) =>
        ask('DELETE', person, { ...person.auth, 'If-Match': list }, { password: 'correct horse 42' })
      expect(outcome(await erase(tag))).to.deep.equal(moved)
      expect((await erase(await ownTag(person))).status).to.equal(204)
    })
  })
}
