import { expect } from 'chai'
import { newPerson } from '../http/suite/people.ts'
import type { TestServer } from '../http/suite/test-server.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { eventually } from '../support/eventually.ts'
import { startServer } from '../support/server.ts'

type Sample = { labels: Record<string, string>; value: number }

/** What a server's page of metrics says of one of them. */
async function samples({ opsUrl }: TestServer, metric: string): Promise<Sample[]> {
  const answer = await fetch(`${opsUrl}/metrics`)
  expect(answer.status).to.equal(200)
  expect(answer.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/)
  return (await answer.text()).split('\n').flatMap(line => {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name !== metric) return []
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text])
    return [{ labels: Object.fromEntries(pairs), value: Number(value) }]
  })
}

/** The sum over all of its samples with these labels. */
async function total(
  server: TestServer,
  metric: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const found = await samples(server, metric)
  const matching = found.filter(sample =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  return matching.reduce((sum, { value }) => sum + value, 0)
}

describe('The page of metrics', () => {
  let server: TestServer
  const ofProfiles = { projection: 'profiles', generation: '1', use: 'live' }

  describe('of a Roster on the embedded stores', () => {
    before(async () => {
      server = await startServer()
    })
    after(() => server.stop())

    it('counts and times requests by route and status, without names', async () => {
      const route = '/api/users/:username/'
      const { path, auth } = await newPerson(server)
      await server.client.get(path)
      await server.client.get('/api/users/nobody_at_all/')
      await server.client.put(path, { bio: 'x' }, auth)
      await server.client.get('/nowhere')
      const requests = await samples(server, 'roster_http_requests_total')
      for (const labels of [
        { method: 'GET', route, status: '200' },
        { method: 'GET', route, status: '404' },
        { method: 'PUT', route, status: '200' },
        { method: 'GET', route: 'none', status: '404' },
      ]) {
        expect(requests).to.deep.include({ labels, value: 1 })
      }
      const timed = { method: 'GET', route }
      expect(await total(server, 'roster_http_request_duration_seconds_count', timed)).to.equal(2)
      expect(JSON.stringify(requests)).to.not.include(path)
    })

    it('tells how many hashes wait', async () => {
      expect(await samples(server, 'roster_hash_queue_waiting')).to.deep.equal([{ labels: {}, value: 0 }])
    })

    it('tells how far read models are behind and built, who holds them, and how they are fed', async () => {
      await newPerson(server)
      await eventually(async () => {
        expect(await total(server, 'roster_projection_lag_events', ofProfiles)).to.equal(0)
        expect(await total(server, 'roster_projection_progress', ofProfiles)).to.equal(1)
      })
      expect(await samples(server, 'roster_projection_lag_seconds')).to.deep.include({
        labels: ofProfiles,
        value: 0,
      })
      const held = await samples(server, 'roster_projection_partitions')
      expect(held.filter(({ labels }) => labels.projection === 'profiles')).to.deep.equal([
        { labels: { ...ofProfiles, holder: held[0]?.labels.holder }, value: 4 },
      ])
      expect(held[0]?.labels.holder).to.not.equal('')
      const fed = { projection: 'profiles' }
      expect(await total(server, 'roster_projection_batch_size_count', fed)).to.be.greaterThan(0)
    })

    it('counts the streams that are parked', async () => {
      const troubled = await startServer({ ROLES: 'api,projector' })
      const { id } = await newPerson(troubled)
      const parked = () => total(troubled, 'roster_parked_streams', ofProfiles)
      expect(await parked()).to.equal(0)
      await troubled.record(id, { type: 'NobodyKnowsThis', data: {} })
      await eventually(async () => expect(await parked()).to.equal(1))
      await troubled.stop()
    })

    it('counts mails by what came of them', async () => {
      const sent = () => total(server, 'roster_mails_total', { outcome: 'sent' })
      const { email } = await newPerson(server)
      const before = await sent()
      expect((await server.client.post('/api/password/reset/', { email })).status).to.equal(200)
      await eventually(async () => expect(await sent()).to.equal(before + 1))
    })
  })

  describe('of a Roster on EventStoreDB', () => {
    let eventstoredb: EventStoreDB
    beforeEach(async () => {
      eventstoredb = await startEventStoreDB()
      server = await startServer({ EVENTSTORE_URL: eventstoredb.url, ROLES: 'api,projector' })
      await eventually(async () => {
        expect((await server.client.get('/api/users/?query=nobody')).status).to.equal(200)
      }, 30_000)
    })
    afterEach(async () => {
      await server.stop()
      await eventstoredb.stop()
    })

    const conflicts = () => total(server, 'roster_append_conflicts_total')
    const retries = () => total(server, 'roster_append_retries_total')

    it('counts appends that were sent again, as what came of them was unknown', async () => {
      const { path, auth } = await newPerson(server)
      expect(await retries()).to.equal(0)
      eventstoredb.misbehave('append', 'lose')
      expect((await server.client.put(path, { bio: 'once' }, auth)).status).to.equal(200)
      expect(await retries()).to.equal(1)
      expect(await conflicts()).to.equal(0)
    })

    it('counts appends that another was faster than', async () => {
      const { id, path, auth } = await newPerson(server)
      eventstoredb.misbehave('append', { delayMs: 500 })
      const edited = server.client.put(path, { bio: 'mine' }, auth)
      await eventually(() => expect(eventstoredb.faults.left('append')).to.equal(0))
      await server.record(id, { type: 'ProfileEdited', data: { location: 'theirs' } })
      expect((await edited).body).to.include({ bio: 'mine', location: 'theirs' })
      expect(await conflicts()).to.equal(1)
    })
  })
})
