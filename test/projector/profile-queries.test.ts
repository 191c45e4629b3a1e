import { expect } from 'chai'
import { StoreUnavailable } from '../../src/event-store/event-store.ts'
import {
  createProfileQueries,
  InvalidCursor,
  type ProfileQueries,
} from '../../src/projector/profile-queries.ts'
import { eventually } from '../support/eventually.ts'
import { openStage, registered, type Stage } from './stage.ts'

describe('the queries for profiles', () => {
  let stage: Stage
  let queries: ProfileQueries

  beforeEach(async () => {
    stage = await openStage()
    queries = createProfileQueries(stage.readStore)
  })
  afterEach(() => stage.close())

  async function register(...usernames: string[]): Promise<void> {
    for (const [at, username] of usernames.entries()) await stage.append(at + 1, registered(at + 1, username))
    await stage.start()
  }

  async function rejection(asked: Promise<unknown>): Promise<unknown> {
    try {
      await asked
    } catch (error) {
      return error
    }
    throw new Error('expected a rejection')
  }

  const names = async (query: string, limit = 50) =>
    (await queries.search({ query, limit, cursor: null })).profiles.map(({ username }) => username)

  it('find a user by id, and by the key of the username', async () => {
    await register('Ege', 'Straẞe')
    expect((await queries.byId(2))?.profile).to.deep.include({ id: 2, username: 'Straẞe', privacy: false })
    expect((await queries.byUsernameKey('strasse'))?.profile).to.deep.include({ id: 2 })
    expect(await queries.byUsernameKey('straße')).to.equal(null)
    expect((await queries.byUsernameKey('ege'))?.profile).to.deep.include({ id: 1 })
    expect(await queries.byId(3)).to.equal(null)
  })

  it('search whatever the letter case and Unicode form', async () => {
    await register('ΟΔΟΣΑ', 'ΟΔΟΣ', 'İzmir', 'izmirli', 'ﬁsh')
    expect(await names('οδος')).to.deep.equal(['ΟΔΟΣ', 'ΟΔΟΣΑ'])
    expect(await names('IZMIR')).to.deep.equal(['İzmir', 'izmirli'])
    expect(await names('FI')).to.deep.equal(['ﬁsh'])
    expect(await names('%')).to.deep.equal([])
    expect(await names('')).to.have.length(5)
    expect(await names(' ege')).to.deep.equal([])
  })

  it('give a cursor as long as there is more', async () => {
    await register('bab', 'ab', 'cab', 'abc', 'x')
    const found: string[] = []
    for (let cursor: string | null = null; ; ) {
      const page = await queries.search({ query: 'AB', limit: 1, cursor })
      found.push(...page.profiles.map(({ username }) => username))
      if (page.next === null) break
      expect(page.next).to.match(/^[\w-]+$/)
      cursor = page.next
    }
    expect(found).to.deep.equal(['ab', 'abc', 'bab', 'cab'])
  })

  it('refuse cursors that nobody was given, or for another query', async () => {
    await register('bab', 'ab', 'cab')
    const { next } = await queries.search({ query: 'ab', limit: 1, cursor: null })
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const wrong = [
      next,
      '',
      'x',
      '!',
      encode(null),
      encode([]),
      encode([1, 'b', 'ab', '1']),
      encode({ a: 1 }),
    ]
    for (const cursor of wrong) {
      const query = cursor === next ? 'a' : 'ab'
      expect(await rejection(queries.search({ query, limit: 1, cursor }))).to.be.instanceOf(InvalidCursor)
    }
    const parts: unknown[] = JSON.parse(Buffer.from(String(next), 'base64url').toString())
    for (const [at, value] of [
      [1, 'z'],
      [2, 7],
      [2, 'zzz'],
      [3, null],
    ] as const) {
      const cursor = encode(parts.with(at, value))
      const refusal = await rejection(queries.search({ query: 'ab', limit: 1, cursor }))
      expect(refusal, String(at)).to.be.instanceOf(InvalidCursor)
    }
  })

  it('say that they are not ready before anything was built', async () => {
    expect(await rejection(queries.byId(1))).to.be.instanceOf(StoreUnavailable)
    await stage.start()
    await eventually(async () => expect(await queries.byId(1)).to.equal(null))
  })
})
