import { expect } from 'chai'
import { outcome } from '../../support/http-client.ts'
import { goodPassword, newName, newPerson } from './people.ts'
import { type Running, type StartServer, type TestServer, withServer } from './test-server.ts'

const invalidLimit = { status: 400, body: { limit: ['Ensure this value is between 1 and 200.'] } }
const invalidCursor = { status: 400, body: { cursor: ['Invalid cursor.'] } }

export function searchCases(running: Running, start: StartServer): void {
  const search = (query: string) => running().client.get(`/api/users/?${query}`)

  describe('a search', () => {
    it('shows id, username, avatar and privacy, of private users too', async () => {
      const suffix = newName('')
      const open = await newPerson(running(), { username: `a${suffix}`, avatar: 'a.png', bio: 'x' })
      const hidden = await newPerson(running(), { username: `b${suffix}` })
      await running().client.put(hidden.path, { privacy: true }, hidden.auth)
      expect(outcome(await search(`query=${suffix}`))).to.deep.equal({
        status: 200,
        body: [
          { id: open.id, username: open.username, avatar: 'a.png', privacy: false },
          { id: hidden.id, username: hidden.username, avatar: '', privacy: true },
        ],
      })
    })

    it('finds the exact match first, then names that begin with it, then the rest', async () => {
      const name = newName('m')
      const names = [name, `${name}a`, `${name}b`, `a${name}`, `b${name}a`]
      await registerAll(running(), [...names].reverse())
      expect(namesIn((await search(`query=${name.toUpperCase()}`)).body)).to.deep.equal(names)
    })

    it('folds as names are folded', async () => {
      const suffix = newName('')
      await registerAll(running(), [`İzmir${suffix}`, `Straße${suffix}`, `ΟΔΟΣΑ${suffix}`])
      for (const [query, name] of [
        [`izmir${suffix}`, `İzmir${suffix}`],
        [`STRASSE${suffix}`, `Straße${suffix}`],
        [`οδοσα${suffix}`, `ΟΔΟΣΑ${suffix}`],
      ] as const) {
        expect(namesIn((await search(`query=${encodeURIComponent(query)}`)).body)).to.deep.equal([name])
      }
    })

    it('takes nothing in the query as special, and does not trim it', async () => {
      const name = newName('')
      await registerAll(running(), [`x${name}`])
      for (const query of [
        '.*',
        '%25',
        '^x',
        '[x]',
        '*',
        '%5C',
        '%27',
        '%22',
        `%20${name}`,
        `${name}+`,
        '_%25',
      ]) {
        expect((await search(`query=${query}`)).body, query).to.deep.equal([])
      }
      expect(namesIn((await search(`query=_${name.slice(1)}`)).body)).to.deep.equal([`x${name}`])
    })

    it('matches nobody with NUL or bad UTF-8', async () => {
      for (const query of ['%00', 'a%00', '%FF', '%C3', '%ED%A0%80']) {
        expect(outcome(await search(`query=${query}`))).to.deep.equal({ status: 200, body: [] })
      }
    })

    it('takes the last query if it is repeated', async () => {
      const name = newName()
      await registerAll(running(), [name])
      expect(namesIn((await search(`query=nobody!&query=${name}`)).body)).to.deep.equal([name])
    })

    it('shows everyone with an empty query or none, a page at a time', async () => {
      await registerAll(running(), [newName(), newName(), newName()])
      for (const query of ['', 'query=', 'other=x']) {
        const answered = await search(`${query}&limit=2`)
        expect(namesIn(answered.body)).to.have.lengthOf(2)
        expect(answered.headers.link).to.match(/^<\/api\/users\/\?query=&limit=2&cursor=[^>&]+>; rel="next"$/)
      }
    })

    it('goes on where a link points, until there is no more', async () => {
      const name = newName('Ş')
      const names = [name, `${name}1`, `${name}2`, `a${name}`, `b${name}`]
      await registerAll(running(), names)
      const found: string[] = []
      let next: string | null = `/api/users/?query=${encodeURIComponent(name)}&limit=2`
      let pages = 0
      while (next) {
        const answered = await running().client.get(next)
        found.push(...namesIn(answered.body))
        next = nextLink(answered.headers.link)
        pages++
        if (next) expect(next).to.contain(`?query=${encodeURIComponent(name)}&limit=2&cursor=`)
      }
      expect(found).to.deep.equal(names)
      expect(pages).to.equal(3)
    })

    for (const limit of ['0', '201', '-1', 'x', '', '1.5', '1e2', '%2B1', '9'.repeat(100), '%FF']) {
      it(`is refused with the limit ${limit}`, async () => {
        expect(outcome(await search(`limit=${limit}`))).to.deep.equal(invalidLimit)
      })
    }

    it('takes limits from 1 to 200', async () => {
      for (const limit of ['1', '200', '007']) expect((await search(`limit=${limit}`)).status).to.equal(200)
    })

    it('is refused with a bad cursor, or another query’s', async () => {
      const name = newName()
      await registerAll(running(), [name, `${name}1`])
      const { headers } = await search(`query=${name}&limit=1`)
      const cursor = new URL(nextLink(headers.link) ?? '', 'http://x').searchParams.get('cursor') ?? ''
      expect(cursor).not.to.equal('')
      expect((await search(`query=${name}&cursor=${encodeURIComponent(cursor)}`)).status).to.equal(200)
      for (const query of [
        `query=${name}&cursor=x`,
        `query=${name}&cursor=`,
        `query=${name}&cursor=%FF`,
        `query=${name}&cursor=%00`,
        `query=${name}&cursor=${encodeURIComponent(cursor.slice(0, -2))}`,
        `query=other&cursor=${encodeURIComponent(cursor)}`,
        `cursor=${encodeURIComponent(cursor)}`,
        `query=%00&cursor=${encodeURIComponent(cursor)}`,
      ]) {
        expect(outcome(await search(query)), query).to.deep.equal(invalidCursor)
      }
    })
  })

  describe('with SEARCH_ENVELOPE=results', () => {
    const enveloped = withServer(start, { SEARCH_ENVELOPE: 'results' })

    it('a search shows up to 200 in an envelope', async () => {
      const suffix = newName('')
      await registerAll(
        enveloped(),
        Array.from({ length: 55 }, (_, index) => `n${index}${suffix}`),
      )
      const { status, body, headers } = await enveloped().client.get(`/api/users/?query=${suffix}`)
      expect(status).to.equal(200)
      expect(body).to.have.all.keys('results')
      expect(resultsIn(body)).to.have.lengthOf(55)
      expect(headers).not.to.have.property('link')
    })
  })

  describe('without SEARCH_ENVELOPE', () => {
    it('a search shows up to 50', async () => {
      const suffix = newName('')
      await registerAll(
        running(),
        Array.from({ length: 51 }, (_, index) => `n${index}${suffix}`),
      )
      const { body, headers } = await search(`query=${suffix}`)
      expect(namesIn(body)).to.have.lengthOf(50)
      expect(headers.link).to.contain('&limit=50&cursor=')
    })
  })
}

async function registerAll({ client }: TestServer, usernames: readonly string[]): Promise<void> {
  for (const username of usernames) {
    const answered = await client.post('/api/user/create/', { username, password: goodPassword })
    expect(answered.status, answered.text).to.equal(201)
  }
}

function nextLink(header: string | string[] | undefined): string | null {
  return /^<([^>]+)>; rel="next"$/.exec(String(header))?.[1] ?? null
}

function namesIn(body: unknown): string[] {
  if (!Array.isArray(body)) throw new Error(`expected an array, found ${JSON.stringify(body)}`)
  return body.map((card: { username: string }) => card.username)
}

function resultsIn(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'results' in body ? body.results : undefined
}
