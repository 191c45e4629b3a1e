import { setTimeout as pause } from 'node:timers/promises'
import {
  type AllStreamSubscription,
  EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  type FilterOptions,
  jsonEvent,
  MaxAppendSizeExceededError,
  NotLeaderError,
  type Position,
  type ResolvedEvent,
  StreamDeletedError,
  StreamNotFoundError,
  streamNameFilter,
  UnavailableError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { expect } from 'chai'
import { createLog } from './eventstoredb/log.ts'
import { type EventStoreDB, type EventStoreDBOptions, startEventStoreDB } from './eventstoredb/server.ts'
import { eventually } from './eventually.ts'

const event = (type = 'Noted', data: Record<string, unknown> = {}) => jsonEvent({ type, data })
const types = (read: ResolvedEvent[]) => read.map(({ event }) => event?.type)
const endOfLog = 2n ** 64n - 1n

async function all<E>(read: AsyncIterable<E>): Promise<E[]> {
  const events: E[] = []
  for await (const event of read) events.push(event)
  return events
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('expected a failure'),
    error => error,
  )
}

describe('The wire-level EventStoreDB', () => {
  const servers: EventStoreDB[] = []
  const clients: EventStoreDBClient[] = []
  let server: EventStoreDB
  let client: EventStoreDBClient

  async function start(options?: EventStoreDBOptions): Promise<EventStoreDB> {
    const started = await startEventStoreDB(options)
    servers.push(started)
    return started
  }

  function connect(url: string): EventStoreDBClient {
    const connected = EventStoreDBClient.connectionString(url)
    clients.push(connected)
    return connected
  }

  beforeEach(async () => {
    server = await start()
    client = connect(server.url)
  })

  afterEach(async () => {
    await Promise.all(clients.splice(0).map(client => client.dispose()))
    await Promise.all(servers.splice(0).map(server => server.stop()))
  })

  describe('appends', () => {
    it('at the expected revision, all events or none', async () => {
      const first = await client.appendToStream('a', [event(), event()], { expectedRevision: 'no_stream' })
      expect(first.nextExpectedRevision).to.equal(1n)
      const second = await client.appendToStream('a', event(), { expectedRevision: 1n })
      expect(second.nextExpectedRevision).to.equal(2n)
      expect(second.position?.commit).to.equal(second.position?.prepare)
      await client.appendToStream('a', event(), { expectedRevision: 'any' })
      await client.appendToStream('a', event(), { expectedRevision: 'stream_exists' })
      expect(await all(client.readStream('a'))).to.have.length(5)
    })

    it('and says at which revision the stream is instead', async () => {
      await client.appendToStream('a', [event(), event()])
      for (const expectedRevision of ['no_stream', 0n, 7n] as const) {
        const error = await failure(client.appendToStream('a', event(), { expectedRevision }))
        expect(error).to.be.instanceOf(WrongExpectedVersionError)
        expect(error).to.include({ actualVersion: 1n, expectedVersion: expectedRevision })
      }
      const missing = await failure(client.appendToStream('b', event(), { expectedRevision: 0n }))
      expect(missing).to.include({ actualVersion: 'no_stream' })
      expect(
        await failure(client.appendToStream('b', event(), { expectedRevision: 'stream_exists' })),
      ).to.include({
        actualVersion: 'no_stream',
      })
    })

    it('once, if the same ids come again at the same revision', async () => {
      const events = [event('A'), event('B')]
      const first = await client.appendToStream('a', events, { expectedRevision: 'no_stream' })
      await client.appendToStream('a', event('C'))
      expect(await client.appendToStream('a', events, { expectedRevision: 'no_stream' })).to.deep.equal(first)
      expect(await client.appendToStream('a', events, { expectedRevision: 'any' })).to.deep.equal(first)
      expect(types(await all(client.readStream('a')))).to.deep.equal(['A', 'B', 'C'])
    })

    it('again, if the same ids come at the revision at which the stream is', async () => {
      const again = event('A')
      await client.appendToStream('a', again, { expectedRevision: 'no_stream' })
      await client.appendToStream('a', again, { expectedRevision: 0n })
      expect(await all(client.readStream('a'))).to.have.length(2)
    })

    it('not, if only some of the ids are those stored there', async () => {
      const events = [event('A'), event('B')]
      await client.appendToStream('a', events, { expectedRevision: 'no_stream' })
      const others = [...events.slice(0, 1), event('X')]
      for (const expectedRevision of ['no_stream', 'any'] as const) {
        const error = await failure(client.appendToStream('a', others, { expectedRevision }))
        expect(error).to.be.instanceOf(WrongExpectedVersionError)
      }
      const elsewhere = await failure(client.appendToStream('a', events, { expectedRevision: 0n }))
      expect(elsewhere).to.be.instanceOf(WrongExpectedVersionError)
    })

    it('not more bytes than its maximum', async () => {
      const small = connect((await start({ maximumAppendBytes: 1000 })).url)
      const error = await failure(small.appendToStream('a', event('Large', { text: 'x'.repeat(1000) })))
      expect(error).to.be.instanceOf(MaxAppendSizeExceededError)
      expect(error).to.include({ maxAppendSize: 1000 })
      expect(await failure(all(small.readStream('a')))).to.be.instanceOf(StreamNotFoundError)
    })

    it('one to a call too, for clients that give credentials or servers that know no better', async () => {
      const credentials = { username: 'u', password: 'p' }
      const old = connect((await start({ hasBatchAppend: false })).url)
      for (const [reader, options] of [
        [client, { credentials }],
        [old, {}],
      ] as const) {
        await reader.appendToStream('a', [event(), event()], { expectedRevision: 'no_stream', ...options })
        const error = await failure(
          reader.appendToStream('a', event(), { expectedRevision: 'no_stream', ...options }),
        )
        expect(error).to.be.instanceOf(WrongExpectedVersionError)
        expect(error).to.include({ actualVersion: 1n })
      }
    })
  })

  describe('reads a stream', () => {
    beforeEach(async () => {
      await client.appendToStream(
        'a',
        ['A', 'B', 'C', 'D'].map(type => event(type)),
      )
    })

    it('in both directions, from a revision, up to a number of events', async () => {
      const read = async (options: Parameters<EventStoreDBClient['readStream']>[1]) =>
        types(await all(client.readStream('a', options)))
      expect(await read({})).to.deep.equal(['A', 'B', 'C', 'D'])
      expect(await read({ fromRevision: 1n, maxCount: 2 })).to.deep.equal(['B', 'C'])
      expect(await read({ direction: 'backwards', fromRevision: 'end' })).to.deep.equal(['D', 'C', 'B', 'A'])
      expect(await read({ direction: 'backwards', fromRevision: 2n, maxCount: 2 })).to.deep.equal(['C', 'B'])
      expect(await read({ direction: 'backwards', fromRevision: 9n, maxCount: 1 })).to.deep.equal(['D'])
      expect(await read({ fromRevision: 9n })).to.deep.equal([])
    })

    it('without what $tb and $maxCount take away, which $all still has', async () => {
      await client.setStreamMetadata('a', { truncateBefore: 2 })
      expect(types(await all(client.readStream('a')))).to.deep.equal(['C', 'D'])
      await client.setStreamMetadata('a', { maxCount: 1, kept: 'this' })
      expect(types(await all(client.readStream('a')))).to.deep.equal(['D'])
      expect((await client.getStreamMetadata('a')).metadata).to.deep.equal({ maxCount: 1, kept: 'this' })
      await client.setStreamMetadata('a', { truncateBefore: 9 })
      expect(await all(client.readStream('a'))).to.deep.equal([])
      const error = await failure(client.appendToStream('a', event(), { expectedRevision: 'no_stream' }))
      expect(error).to.include({ actualVersion: 3n })
      const everything = (await all(client.readAll())).filter(({ event }) => event?.streamId === 'a')
      expect(types(everything)).to.deep.equal(['A', 'B', 'C', 'D'])
    })

    it('not when it is deleted, and from where it was when it begins again', async () => {
      await client.deleteStream('a')
      expect(await failure(all(client.readStream('a')))).to.be.instanceOf(StreamNotFoundError)
      const revived = await client.appendToStream('a', event('E'), { expectedRevision: 'no_stream' })
      expect(revived.nextExpectedRevision).to.equal(4n)
      expect(types(await all(client.readStream('a')))).to.deep.equal(['E'])
      expect(await failure(client.deleteStream('b', { expectedRevision: 'no_stream' }))).to.be.instanceOf(
        WrongExpectedVersionError,
      )
    })

    it('never again when it is tombstoned', async () => {
      await client.tombstoneStream('a')
      expect(await failure(all(client.readStream('a')))).to.be.instanceOf(StreamDeletedError)
      expect(await failure(client.appendToStream('a', event()))).to.be.instanceOf(StreamDeletedError)
      const everything = (await all(client.readAll())).filter(({ event }) => event?.streamId === 'a')
      expect(types(everything).at(-1)).to.equal('$streamDeleted')
    })

    it('through links, without what they lead to if that is gone', async () => {
      const link = (data: string) => ({
        ...event('$>'),
        contentType: 'application/octet-stream' as const,
        data: Buffer.from(data),
      })
      await client.appendToStream('links', [link('0@a'), link('3@a')])
      await client.setStreamMetadata('a', { truncateBefore: 1 })
      const resolved = await all(client.readStream('links', { resolveLinkTos: true }))
      expect(types(resolved)).to.deep.equal([undefined, 'D'])
      expect(resolved.map(({ link }) => link?.type)).to.deep.equal(['$>', '$>'])
    })
  })

  describe('reads $all', () => {
    it('in both directions, from the position of an event on or from the one before it back', async () => {
      const { position } = await client.appendToStream('a', event('A'))
      await client.appendToStream('a', [event('B'), event('C')])
      if (!position) return expect.fail('expected a position')
      expect(types(await all(client.readAll({ fromPosition: position })))).to.deep.equal(['A', 'B', 'C'])
      const last = await all(client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 2 }))
      expect(types(last)).to.deep.equal(['C', 'B'])
      const before = await all(
        client.readAll({ direction: 'backwards', fromPosition: position, maxCount: 1 }),
      )
      expect(types(before)).to.deep.equal(['$User'])
    })

    it('not from where no record begins', async () => {
      const { position = { commit: 0n, prepare: 0n } } = await client.appendToStream('a', event('A'))
      const within = { commit: position.commit - 1n, prepare: position.prepare - 1n }
      expect(await failure(all(client.readAll({ fromPosition: within })))).to.include({ code: 3 })
    })
  })

  describe('lets $all be followed', () => {
    type Seen = { types: (string | undefined)[]; checkpoints: bigint[]; caughtUp: number }

    function follow(
      filterOf: (options: Partial<FilterOptions>) => Parameters<EventStoreDBClient['subscribeToAll']>[0],
      options: Partial<FilterOptions> = {},
    ): { subscription: AllStreamSubscription; seen: Seen } {
      const seen: Seen = { types: [], checkpoints: [], caughtUp: 0 }
      const checkpointReached = (_: unknown, { commit }: Position) => void seen.checkpoints.push(commit)
      const subscription = client.subscribeToAll(filterOf({ checkpointReached, ...options }))
      subscription.on('data', ({ event }) => seen.types.push(event?.type))
      subscription.on('caughtUp', () => seen.caughtUp++)
      subscription.on('error', () => {})
      return { subscription, seen }
    }
    const prefixed = (prefixes: string[], fromPosition: Position | 'start' = 'start') => {
      return (options: object) => ({ fromPosition, filter: streamNameFilter({ prefixes, ...options }) })
    }

    it('by stream prefix, stream expression, event type, or all but system events', async () => {
      await client.appendToStream('user-1', [event('Made'), event('Moved')])
      await client.appendToStream('name-1', event('Made'))
      const cases = [
        [follow(prefixed(['user-', 'x'])), ['Made', 'Moved']],
        [follow(o => ({ filter: streamNameFilter({ regex: '^name', ...o }) })), ['Made']],
        [follow(o => ({ filter: eventTypeFilter({ prefixes: ['Ma'], ...o }) })), ['Made', 'Made']],
        [follow(o => ({ filter: excludeSystemEvents(o) })), ['Made', 'Moved', 'Made']],
        [follow(() => ({})), ['$metadata', '$UserCreated', '$User', 'Made', 'Moved', 'Made']],
      ] as const
      for (const [{ seen }, expected] of cases) {
        await eventually(() => {
          expect(seen.types).to.deep.equal(expected)
          expect(seen.caughtUp).to.equal(1)
        })
      }
      await client.appendToStream('user-1', event('Left'))
      const [[users], , , , [everything]] = cases
      await eventually(() => {
        expect(users.seen.types.at(-1)).to.equal('Left')
        expect(everything.seen.types.at(-1)).to.equal('Left')
      })
    })

    it('with checkpoints at the interval and when it has caught up', async () => {
      for (let count = 0; count < 10; count++) await client.appendToStream('other', event())
      const { position = { commit: 0n, prepare: 0n } } = await client.appendToStream('user-1', event('Made'))
      const { seen } = follow(prefixed(['user-']), { maxSearchWindow: 4, checkpointInterval: 1 })
      await eventually(() => expect(seen.caughtUp).to.equal(1))
      expect(seen.checkpoints.length).to.be.greaterThan(2)
      expect(seen.checkpoints.at(-1)).to.equal(position.commit)
      const { length } = seen.checkpoints
      for (let count = 0; count < 8; count++) await client.appendToStream('other', event())
      await eventually(() => expect(seen.checkpoints).to.have.length(length + 2))
      expect(seen.checkpoints).to.deep.equal([...seen.checkpoints].sort((a, b) => Number(a - b)))
    })

    it('with a checkpoint that means the end, and no other, when it began at the start and found nothing', async () => {
      const { seen } = follow(prefixed(['user-']), { maxSearchWindow: 20 })
      await eventually(() => expect(seen.caughtUp).to.equal(1))
      for (let count = 0; count < 40; count++) await client.appendToStream('other', event())
      await client.appendToStream('user-1', event('Made'))
      await eventually(() => expect(seen.types).to.deep.equal(['Made']))
      expect(seen.checkpoints).to.deep.equal([endOfLog])
    })

    it('after the position given', async () => {
      const { position = { commit: 0n, prepare: 0n } } = await client.appendToStream('user-1', event('Made'))
      await client.appendToStream('user-1', event('Moved'))
      const { seen } = follow(prefixed(['user-'], position))
      await eventually(() => expect(seen.types).to.deep.equal(['Moved']))
    })

    it('without a gap by one who cannot keep up', async () => {
      const seen: bigint[] = []
      const subscription = client.subscribeToAll(prefixed(['user-'])({}), { highWaterMark: 1 })
      subscription.on('error', () => {})
      let caughtUp = 0
      subscription.on('caughtUp', () => caughtUp++)
      const bulk = 'x'.repeat(20_000)
      for (let count = 0; count < 300; count++) {
        await client.appendToStream('user-1', event('Made', { bulk }))
        if (count === 0) await eventually(() => expect(caughtUp).to.equal(1))
      }
      for await (const resolved of subscription) {
        if (resolved.event) seen.push(resolved.event.revision)
        if (seen.length === 300) await client.appendToStream('user-1', event('Made'))
        if (seen.length > 300) break
      }
      expect(seen).to.deep.equal(Array.from({ length: 301 }, (_, revision) => BigInt(revision)))
      expect(caughtUp).to.be.greaterThan(1)
    })
  })

  describe('is one of a cluster', () => {
    it('where the leader is found by gossip, and calls that need it are sent to it', async () => {
      const log = createLog()
      const leader = await start({ log })
      const follower = await start({ log, leader: () => leader })
      const members = () => [
        { host: leader.host, port: leader.port, leads: true, alive: true },
        { host: follower.host, port: follower.port, leads: false, alive: true },
      ]
      const seed = await start({ log, members, leader: () => leader })
      const found = connect(`esdb+discover://${seed.host}:${seed.port}?tls=false`)
      await found.appendToStream('a', event())
      expect(leader.connections()).to.equal(1)

      const direct = connect(follower.url)
      const options = { requiresLeader: true }
      expect(await failure(all(direct.readStream('a', options)))).to.be.instanceOf(NotLeaderError)
      await eventually(async () => expect(await all(direct.readStream('a', options))).to.have.length(1))
    })
  })

  describe('misbehaves on order', () => {
    const append = (options = {}) => client.appendToStream('a', event(), options)

    beforeEach(async () => {
      await client.appendToStream('warm', event())
    })

    it('unavailable, not the leader, not ready', async () => {
      server.misbehave('append', 'unavailable')
      expect(await failure(append())).to.be.instanceOf(UnavailableError)
      server.misbehave('append', 'not-leader')
      expect(await failure(append())).to.be.instanceOf(NotLeaderError)
      server.misbehave('append', 'not-ready')
      expect(await failure(append()))
        .to.have.property('message')
        .that.includes('Server Is Not Ready')
      server.misbehave('read', 'unavailable')
      expect(await failure(all(client.readStream('warm')))).to.be.instanceOf(UnavailableError)
      expect(server.log.stream('a')).to.have.length(0)
    })

    it('hanging, or losing the answer of an append that it did', async () => {
      server.misbehave('append', 'ignore')
      expect(await Promise.race([append(), pause(100)])).to.equal(undefined)
      expect(server.log.stream('a')).to.have.length(0)
      server.misbehave('append', 'lose')
      expect(await Promise.race([append(), pause(100)])).to.equal(undefined)
      expect(server.log.stream('a')).to.have.length(1)
      server.misbehave('read', 'hang')
      expect(await Promise.race([all(client.readStream('warm')), pause(100)])).to.equal(undefined)
      server.misbehave('append', { delayMs: 30 })
      expect(await append()).to.include({ success: true })
    })

    it('cutting connections, before an append or after it', async () => {
      server.misbehave('append', 'drop')
      expect(await failure(append())).to.be.instanceOf(UnavailableError)
      expect(server.log.stream('a')).to.have.length(0)
      server.misbehave('append', 'lose-then-drop')
      expect(await failure(append())).to.be.instanceOf(UnavailableError)
      expect(server.log.stream('a')).to.have.length(1)
      await server.goDown()
      expect(await failure(append())).to.include({ code: 14 })
      await server.comeUp()
      await eventually(async () => expect(await append()).to.include({ success: true }))
    })

    it('ending what should go on', async () => {
      server.misbehave('subscription', 'end')
      expect(await all(client.subscribeToAll())).to.deep.equal([])
    })

    it('as often as told, at each so manieth time', async () => {
      server.misbehave('append', 'not-ready', { times: 2, every: 2 })
      const outcomes: string[] = []
      for (let count = 0; count < 6; count++) {
        outcomes.push(
          await append().then(
            () => 'done',
            () => 'refused',
          ),
        )
      }
      expect(outcomes).to.deep.equal(['done', 'refused', 'done', 'refused', 'done', 'done'])
    })
  })

  it('keeps its log when it is started again on the same port', async () => {
    const again = event('A')
    await client.appendToStream('a', again)
    const { port, log } = server
    await server.stop()
    await start({ port, log })
    await eventually(async () => expect(types(await all(client.readStream('a')))).to.deep.equal(['A']))
    await client.appendToStream('a', again, { expectedRevision: 'no_stream' })
    expect(log.stream('a')).to.have.length(1)
    await client.appendToStream('a', again, { expectedRevision: 'any' })
    expect(log.stream('a'), 'as the real one, it forgets ids at any').to.have.length(2)
  })
})
