import { expect } from 'chai'
import { outcome } from '../../support/http-client.ts'
import { newName, newPerson, type Person } from './people.ts'
import type { Running } from './test-server.ts'

const notFound = { status: 404, body: { detail: 'Not found.' } }
const unauthorized = { status: 401, body: { detail: 'Unauthorized.' } }
const empty = {
  first_name: '',
  last_name: '',
  bio: '',
  fav_sport_1: '',
  fav_sport_2: '',
  fav_sport_3: '',
  location: '',
  avatar: '',
  privacy: false,
}

export function profileCases(running: Running): void {
  const view = async (path: string, person?: Person) =>
    outcome(await running().client.get(path, person?.auth))
  const edit = async ({ path, auth }: Person, fields: unknown, method = 'PUT') =>
    outcome(await running().client.ask(method, path, { json: fields, headers: auth }))

  describe('a profile', () => {
    it('is shown as the documentation shows it, with the address for its owner alone', async () => {
      const fields = {
        first_name: 'Ege',
        last_name: 'Kaya',
        bio: 'Hello, I love sports.',
        fav_sport_1: 'football',
        fav_sport_2: 'basketball',
        fav_sport_3: 'tennis',
        location: 'Istanbul',
      }
      const owner = await newPerson(running(), fields)
      const other = await newPerson(running())
      const shown = { id: owner.id, username: owner.username, ...empty, ...fields }
      expect(await view(owner.path)).to.deep.equal({ status: 200, body: shown })
      expect(await view(owner.path, other)).to.deep.equal({ status: 200, body: shown })
      expect(await view(owner.path, owner)).to.deep.equal({
        status: 200,
        body: { ...shown, email: owner.email },
      })
    })

    it('is a card to anyone but its owner if it is private', async () => {
      const owner = await newPerson(running(), { bio: 'secret', avatar: 'a.png' })
      const other = await newPerson(running())
      await edit(owner, { privacy: true })
      const card = { id: owner.id, username: owner.username, avatar: 'a.png', privacy: true }
      expect(await view(owner.path)).to.deep.equal({ status: 200, body: card })
      expect(await view(owner.path, other)).to.deep.equal({ status: 200, body: card })
      expect((await view(owner.path, owner)).body).to.include({ bio: 'secret', email: owner.email })
    })

    it('is found by id, leading zeros or not', async () => {
      const { id, username, path } = await newPerson(running())
      const found = await view(path)
      expect(found.body).to.include({ id, username })
      for (const segment of [`${id}`, `000${id}`, `%3${String(id)[0]}${String(id).slice(1)}`]) {
        expect(await view(`/api/users/${segment}/`), segment).to.deep.equal(found)
      }
    })

    it('is not found under an id that nobody has, nor under one that cannot be', async () => {
      for (const id of ['0', '4503599627370496', '9007199254740992', '9'.repeat(400)]) {
        expect(await view(`/api/users/${id}/`), id).to.deep.equal(notFound)
      }
    })

    it('is found in any letter case and Unicode form', async () => {
      const username = `Straße_İzmir_ΟΔΟΣ${newName('')}`
      const { id } = await newPerson(running(), { username })
      for (const spelt of [
        username,
        username.toUpperCase(),
        username.toLowerCase(),
        username.normalize('NFD'),
      ]) {
        const { status, body } = await view(`/api/users/${encodeURIComponent(spelt)}/`)
        expect(status, spelt).to.equal(200)
        expect(body).to.include({ id, username })
      }
    })

    it('is not found if there is nobody of that name', async () => {
      for (const name of [
        newName(),
        '%C2%B2',
        '%D9%A1',
        'a%20b',
        '-1',
        '1.0',
        '%2B1',
        '..%2F',
        '%25',
        '%zz',
      ]) {
        expect(await view(`/api/users/${name}/`), name).to.deep.equal(notFound)
      }
      expect(await view(`/api/users/${'x'.repeat(10_000)}/`)).to.deep.equal(notFound)
    })
  })

  describe('an edit', () => {
    it('answers as the documentation shows', async () => {
      const owner = await newPerson(running())
      const fields = {
        first_name: 'Lewis',
        last_name: 'Hamilton',
        bio: '7-time world champion',
        fav_sport_1: 'Formula 1',
        fav_sport_2: 'Formula 2',
        fav_sport_3: 'Formula E',
        location: 'Monaco',
        avatar: '',
        privacy: false,
      }
      const whole = { id: owner.id, username: owner.username, email: owner.email, ...fields }
      expect(await edit(owner, fields)).to.deep.equal({ status: 200, body: whole })
      expect(await view(owner.path, owner)).to.deep.equal({ status: 200, body: whole })
    })

    for (const method of ['PUT', 'PATCH']) {
      it(`by ${method} changes only the fields sent, seen by the next request`, async () => {
        const owner = await newPerson(running(), { bio: 'before', location: 'Ankara' })
        const { status, body } = await edit(owner, { bio: ' after\n' }, method)
        expect(status).to.equal(200)
        expect(body).to.include({ bio: 'after', location: 'Ankara', first_name: '' })
        expect((await view(owner.path, owner)).body).to.deep.equal(body)
      })
    }

    it('of nothing is accepted', async () => {
      const owner = await newPerson(running(), { bio: 'same' })
      const whole = await view(owner.path, owner)
      expect(await edit(owner, {})).to.deep.equal(whole)
      expect(
        await edit(owner, { bio: 'same', privacy: false, username: 'other', id: 5, unknown: [] }),
      ).to.deep.equal(whole)
      const { client } = running()
      expect(outcome(await client.ask('PUT', owner.path, { headers: owner.auth }))).to.deep.equal(whole)
    })

    it('takes empty texts', async () => {
      const owner = await newPerson(running(), { bio: 'x', first_name: 'y' })
      const { body } = await edit(owner, { ...empty, privacy: 'off' })
      expect(body).to.deep.equal({ id: owner.id, username: owner.username, email: owner.email, ...empty })
    })

    it('takes a form as well, and any text as an avatar', async () => {
      const owner = await newPerson(running())
      const form = `privacy=on&bio=a+b&avatar=${encodeURIComponent('data:image/png;base64,AAAA"<>')}`
      const answered = await running().client.ask('PUT', owner.path, { form, headers: owner.auth })
      expect(answered.body).to.include({ privacy: true, bio: 'a b', avatar: 'data:image/png;base64,AAAA"<>' })
    })

    it('reads a boolean as Django REST does', async () => {
      const owner = await newPerson(running())
      for (const [sent, privacy] of [
        ['true', true],
        [0, false],
        ['on', true],
        ['False', false],
        [1, true],
        ['n', false],
      ] as const) {
        expect((await edit(owner, { privacy: sent })).body, String(sent)).to.include({ privacy })
      }
    })

    it('is found by id and by any spelling of the name', async () => {
      const owner = await newPerson(running())
      for (const segment of [`${owner.id}`, `00${owner.id}`, owner.username.toUpperCase()]) {
        const answered = await edit({ ...owner, path: `/api/users/${segment}/` }, { bio: segment })
        expect(answered.body, segment).to.include({ bio: segment })
      }
    })

    it('takes texts of just the greatest length', async () => {
      const owner = await newPerson(running())
      const { status } = await edit(owner, {
        first_name: '🏀'.repeat(150),
        last_name: ` ${'x'.repeat(150)} `,
        bio: 'x'.repeat(2000),
        fav_sport_1: 'x'.repeat(100),
        location: 'x'.repeat(200),
        avatar: '🏀'.repeat(8192),
      })
      expect(status).to.equal(200)
    })

    it('tells all that is wrong and changes nothing', async () => {
      const owner = await newPerson(running())
      const before = await view(owner.path, owner)
      const tooLong = (characters: number) => [`Ensure this field has no more than ${characters} characters.`]
      const fields = { bio: 'x'.repeat(2001), first_name: 'x'.repeat(151), fav_sport_2: 'x'.repeat(101) }
      expect(await edit(owner, { ...fields, privacy: 'maybe', location: 'ok' })).to.deep.equal({
        status: 400,
        body: {
          first_name: tooLong(150),
          bio: tooLong(2000),
          fav_sport_2: tooLong(100),
          privacy: ['Must be a valid boolean.'],
        },
      })
      expect(await edit(owner, { ...fields, privacy: null, location: null, last_name: ['a'] })).to.deep.equal(
        {
          status: 400,
          body: {
            last_name: ['Not a valid string.'],
            location: ['This field may not be null.'],
            privacy: ['This field may not be null.'],
          },
        },
      )
      expect(await view(owner.path, owner)).to.deep.equal(before)
    })

    it('is not refused for values that are as they were, though they are beyond the limits by now', async () => {
      const owner = await newPerson(running())
      const imported = { firstName: 'x'.repeat(200), bio: 'y'.repeat(3000), location: 'a\0b' }
      await running().record(owner.id, { type: 'ProfileEdited', data: imported })
      const sent = { first_name: imported.firstName, bio: imported.bio, location: imported.location }
      const { status, body } = await edit(owner, { ...sent, last_name: 'new' })
      expect(status).to.equal(200)
      expect(body).to.include({ ...sent, last_name: 'new' })
      expect(await edit(owner, { ...sent, bio: `${imported.bio}z` })).to.deep.equal({
        status: 400,
        body: { bio: ['Ensure this field has no more than 2000 characters.'] },
      })
    })

    it('is refused without credentials, and of somebody else or nobody', async () => {
      const owner = await newPerson(running())
      const other = await newPerson(running())
      const { client } = running()
      const anonymous = await client.put(owner.path, { bio: 'x' })
      expect(outcome(anonymous)).to.deep.equal({
        status: 401,
        body: { detail: 'Authentication credentials were not provided.' },
      })
      for (const path of [
        owner.path,
        `/api/users/${owner.id}/`,
        `/api/users/${newName()}/`,
        '/api/users/0/',
        '/api/users/9007199254740993/',
        '/api/users/a%2Fb/',
      ]) {
        const answered = await client.put(path, { bio: 'x' }, other.auth)
        expect(outcome(answered), path).to.deep.equal(unauthorized)
        expect(answered.headers['www-authenticate']).to.equal('Bearer realm="api"')
      }
      expect((await view(owner.path)).body).to.include({ bio: '' })
    })
  })
}
