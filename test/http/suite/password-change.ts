import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { outcome, textIn } from '../../support/http-client.ts'
import { mailedToken } from './password-reset.ts'
import { goodPassword, newPerson, type Person } from './people.ts'
import type { Running } from './test-server.ts'

const path = '/api/password/change/'
const ok = { status: 200, body: { status: 'OK' } }
const newPassword = 'battery staple 43'

export function passwordChangeCases(running: Running): void {
  const change = (json: unknown, { auth }: Pick<Person, 'auth'>) => running().client.post(path, json, auth)
  const login = ({ username }: Person, password: string) =>
    running().client.post('/api/token/obtain/', { username, password })
  const refresh = (token: string) => running().client.post('/api/token/refresh/', { refresh: token })

  describe('a change of the password', () => {
    it('sets it, and ends every session but the one that asks', async () => {
      const person = await newPerson(running())
      const other = textIn(await login(person, goodPassword), 'refresh')
      const answered = await change({ old_password: goodPassword, new_password: newPassword }, person)
      expect(outcome(answered)).to.deep.equal(ok)
      expect(answered.headers['cache-control']).to.equal('no-store')
      expect((await login(person, goodPassword)).status).to.equal(401)
      expect((await login(person, newPassword)).status).to.equal(200)
      expect((await refresh(other)).status).to.equal(401)
      expect((await refresh(person.refresh)).status).to.equal(200)
      expect((await running().client.put(person.path, { bio: 'x' }, person.auth)).status).to.equal(200)
    })

    it('tells the owner by mail, without any password in it', async () => {
      const person = await newPerson(running())
      await change({ old_password: goodPassword, new_password: newPassword }, person)
      await eventually(async () => {
        const [mail = ''] = await running().mails(person.email)
        expect(mail).to.contain('Subject: Your password was changed').and.to.contain(person.username)
        expect(mail).not.to.contain(goodPassword).and.not.to.contain(newPassword)
      })
    })

    it('is refused with the wrong old password, and with all that is wrong with the new one', async () => {
      const person = await newPerson(running())
      const wrong = await change({ old_password: newPassword, new_password: newPassword }, person)
      const body = { old_password: ['Wrong password.'] }
      expect(outcome(wrong)).to.deep.equal({ status: 400, body })
      const both = await change({ old_password: 'x', new_password: '12345' }, person)
      const tooWeak = [
        'This password is too short. It must contain at least 8 characters.',
        'This password is too common.',
        'This password is entirely numeric.',
      ]
      expect(both.body).to.deep.equal({ ...body, new_password: tooWeak })
      const similar = await change({ old_password: goodPassword, new_password: person.username }, person)
      expect(similar.body).to.deep.equal({
        new_password: ['The password is too similar to the username.'],
      })
      expect((await login(person, goodPassword)).status).to.equal(200)
    })

    it('needs both passwords', async () => {
      const person = await newPerson(running())
      expect((await change({}, person)).body).to.deep.equal({
        old_password: ['This field is required.'],
        new_password: ['This field is required.'],
      })
    })

    it('needs credentials, of a session that goes on', async () => {
      const json = { old_password: goodPassword, new_password: newPassword }
      expect((await running().client.post(path, json)).status).to.equal(401)
      const person = await newPerson(running())
      await running().client.post('/api/token/revoke/', { refresh: person.refresh })
      expect((await change(json, person)).status).to.equal(401)
      expect((await login(person, goodPassword)).status).to.equal(200)
    })

    it('ends a reset that was mailed before', async () => {
      const person = await newPerson(running())
      await running().client.post('/api/password/reset/', { email: person.email })
      const token = await mailedToken(running(), person.email)
      await change({ old_password: goodPassword, new_password: newPassword }, person)
      const confirm = { token, password: goodPassword }
      expect((await running().client.post('/api/password/reset/confirm/', confirm)).status).to.equal(404)
    })

    it('is won by one of two that are made at the same moment', async () => {
      const person = await newPerson(running())
      const passwords = ['Galata-Tower-1348', 'Hagia-Sophia-0537']
      const answers = await Promise.all(
        passwords.map(chosen => change({ old_password: goodPassword, new_password: chosen }, person)),
      )
      const statuses = answers.map(({ status }) => status)
      expect(statuses.toSorted()).to.deep.equal([200, 400])
      const winner = passwords[statuses.indexOf(200)] ?? ''
      expect((await login(person, winner)).status).to.equal(200)
    })
  })
}
