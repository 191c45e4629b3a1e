import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import {
  beforeAll,
  type EventStore,
  LogReplaced,
  noStream,
  RevisionConflict,
  StoreUnavailable,
} from '../../src/event-store/event-store.ts'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import type { Fault, Operation } from '../support/eventstoredb/faults.ts'
import { createLog } from '../support/eventstoredb/log.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { impatient } from '../support/eventstoredb-stores.ts'
import { eventually } from '../support/eventually.ts'
import { anEvent, collect, idsOf, readWhole, someEvents } from '../support/log-events.ts'

const deadlineMs = 1000

describe('The EventStoreDB adapter, when the server misbehaves', () => {
  let server: EventStoreDB
  let stores: [EventStore, EventStore]
  /** What would have ended the process. */
  let fatal: unknown[]
  const onFatal = (error: unknown) => void fatal.push(error)

  beforeEach(async () => {
    fatal = []
    process.on('unhandledRejection', onFatal)
    server = await startEventStoreDB()
    const open = () => openEventStoreDB({ url: server.url, timing: impatient, patienceMs: 4 * deadlineMs })
    stores = [await open(), await open()]
  })

  afterEach(async () => {
    server.faults.clear()
    await Promise.all(stores.map(store => store.close()))
    await server.stop()
    await pause(1)
    process.off('unhandledRejection', onFatal)
    expect(fatal).to.deep.equal([])
  })

  async function failure(call: Promise<unknown>): Promise<unknown> {
    return call.then(
      () => expect.fail('expected a failure'),
      error => error,
    )
  }

  /** The call, or a failure if it goes on long after its deadline. */
  async function inTime<T>(call: Promise<T>): Promise<T> {
    const hung = Symbol('hung')
    const abort = new AbortController()
    const late = pause(8 * deadlineMs, hung, { signal: abort.signal }).catch(() => hung)
    const outcome = await Promise.race([call, late])
    abort.abort()
    return outcome === hung ? expect.fail('the call hung beyond its deadline') : (outcome as T)
  }

  type Written = { sent: Set<string>; acknowledged: Map<bigint, string> }

  /** Appends one event after the other to a stream of its own, as a command does: what is unclear is looked up. */
  async function write(store: EventStore, stream: string, count: number): Promise<Written> {
    const written: Written = { sent: new Set(), acknowledged: new Map() }
    for (let at = noStream; at < count - 1; ) {
      const event = anEvent()
      written.sent.add(event.id)
      try {
        at = (await inTime(store.append(stream, [event], at, performance.now() + deadlineMs))).revision
        written.acknowledged.set(at, event.id)
      } catch (error) {
        // An append given up may still come about, and meet the next one.
        if (!(error instanceof StoreUnavailable || error instanceof RevisionConflict)) throw error
        at = await lastRevision(store, stream)
      }
    }
    return written
  }

  async function lastRevision(store: EventStore, stream: string): Promise<bigint> {
    const deadline = performance.now() + 4 * deadlineMs
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1, deadline })
    return last?.revision ?? noStream
  }

  /** Eight writers and two subscriptions at work in two stores, while there is trouble. */
  async function underLoad(trouble: () => Promise<unknown>): Promise<void> {
    const filter = { prefixes: ['user-'] }
    const subscriptions = stores.map(store => collect(store, { after: beforeAll, filter }))
    const streams = Array.from({ length: 8 }, (_, writer) => `user-${writer}`)
    const [written] = await Promise.all([
      Promise.all(streams.map((stream, writer) => write(stores[writer % 2 ? 0 : 1], stream, 8))),
      trouble(),
    ])

    server.faults.clear()
    const logged = () => idsOf(server.log.all().filter(({ stream }) => stream.startsWith('user-')))
    for (const subscription of subscriptions) {
      await eventually(() => {
        expect(idsOf(subscription.events()), 'no gap, no duplicate').to.deep.equal(logged())
      })
      await subscription.stop()
    }
    expect(new Set(logged()).size, 'nothing stored twice').to.equal(logged().length)
    for (const [writer, stream] of streams.entries()) {
      const { sent, acknowledged } = written[writer] ?? expect.fail('a writer is missing')
      for (const [revision, id] of acknowledged) expect(server.log.at(stream, revision)?.id).to.equal(id)
      expect([...sent]).to.include.members(idsOf(server.log.stream(stream)))
    }
  }

  const appendFaults: Fault[] = [
    'unavailable',
    'not-leader',
    'not-ready',
    'end',
    'drop',
    'hang',
    'ignore',
    'lose',
    'lose-then-drop',
    'timeout',
    { delayMs: 250 },
  ]
  for (const fault of appendFaults) {
    it(`loses and repeats nothing when appends meet: ${JSON.stringify(fault)}`, () =>
      underLoad(async () => server.misbehave('append', fault, { times: 6, every: 9 })))
  }

  for (const fault of ['unavailable', 'not-leader', 'end', 'drop', 'hang', 'timeout'] as const) {
    it(`leaves no gap when subscriptions meet: ${fault}`, () =>
      underLoad(async () => server.misbehave('subscription', fault, { times: 6, every: 13 })))
  }

  it('goes on when all of it happens, and connections are cut besides', () =>
    underLoad(async () => {
      for (const [index, fault] of appendFaults.entries()) {
        server.misbehave('append', fault, { times: 2, every: 5 + index })
        server.misbehave('subscription', fault, { times: 1, every: 7 + index })
        server.misbehave('read', fault, { times: 1, every: 1 + index })
        server.misbehave('features', fault, { times: 1, every: 1 + index })
      }
      for (let count = 0; count < 4; count++) {
        await pause(60)
        server.dropConnections()
      }
    }))

  it('goes on when the server was away for longer than the deadline of a call', () =>
    underLoad(async () => {
      await pause(20)
      await server.goDown()
      await pause(deadlineMs + 200)
      await server.comeUp()
    }))

  it('goes on when the server was started again', () =>
    underLoad(async () => {
      await pause(20)
      const { port, log } = server
      await server.stop()
      server = await startEventStoreDB({ port, log })
    }))

  it('gives up a call at its deadline, whatever is wrong, and says why', async () => {
    const open = () => openEventStoreDB({ url: server.url, timing: impatient, patienceMs: 120 })
    await stores[0].append('user-1', [anEvent()], noStream)
    const calls: [Operation, (store: EventStore) => Promise<unknown>][] = [
      ['append', store => store.append('user-1', [anEvent()], 0n, performance.now() + 120)],
      ['features', store => store.append('user-1', [anEvent()], 0n, performance.now() + 120)],
      ['read', store => store.readStream('user-1', { deadline: performance.now() + 120 })],
      ['read', store => store.head()],
      ['read', store => store.truncate('user-1', 1n)],
      ['subscription', store => readWhole(store)],
    ]
    for (const fault of ['hang', 'unavailable', 'not-leader'] as const) {
      for (const [operation, call] of calls) {
        const store = await open()
        const takeBack = server.misbehave(operation, fault, { times: Number.POSITIVE_INFINITY })
        const error = await inTime(failure(call(store)))
        expect(error, `${operation} ${fault}`).to.be.instanceOf(StoreUnavailable)
        expect(String(error)).to.match(
          /127\.0\.0\.1:\d+.*: (NoAnswer|UnavailableError|NotLeaderError|Error): ./,
        )
        await store.close()
        takeBack()
      }
    }
  })

  it('does not try what is refused for good', async () => {
    const [store] = stores
    server.misbehave('append', 'access-denied')
    const error = await failure(store.append('user-1', [anEvent()], noStream))
    expect(error).to.be.instanceOf(StoreUnavailable)
    expect(String(error)).to.include('AccessDenied')
    expect(server.log.stream('user-1')).to.have.length(0)

    server.misbehave('subscription', 'access-denied')
    const subscription = collect(store, { after: beforeAll })
    expect(await inTime(failure(subscription.ended))).to.be.instanceOf(StoreUnavailable)
  })

  it('asks again what the server supports when it was refused that once', async () => {
    const [store] = stores
    server.misbehave('features', 'access-denied')
    expect(await failure(store.append('user-1', [anEvent()], noStream))).to.be.instanceOf(StoreUnavailable)
    expect(await store.append('user-1', [anEvent()], noStream)).to.deep.equal({ revision: 0n })
  })

  it('answers an append whose outcome was unclear with the conflict, if another came first', async () => {
    const [store] = stores
    server.misbehave('append', 'ignore')
    const first = store.append('user-1', [anEvent()], noStream)
    await stores[1].append('user-1', someEvents(2), noStream)
    expect(await failure(first)).to.include({ name: 'RevisionConflict', actual: 1n })
  })

  it('lets a subscription live when a call beside it fails', async () => {
    const [store] = stores
    const subscription = collect(store, { after: beforeAll, filter: { prefixes: ['user-'] } })
    await subscription.untilCaughtUp()
    for (const [number, fault] of (['unavailable', 'not-leader', 'hang'] as const).entries()) {
      server.misbehave('read', fault)
      await store.readStream('user-1')
      server.misbehave('append', fault)
      await store.append(`user-${number}`, [anEvent()], noStream)
      await inTime(subscription.untilCount(number + 1))
    }
    await subscription.stop()
    expect(subscription.events()).to.have.length(3)
  })

  for (const delayMs of [400, 2000]) {
    it(`reads on to the end, although the server says nothing for ${delayMs} ms before`, async () => {
      const [store] = stores
      const raw = { type: 'Noted', isJson: true, data: Buffer.from('{}'), metadata: Buffer.from('{}') }
      const others = Array.from({ length: 5000 }, () => ({ ...raw, id: crypto.randomUUID() }))
      server.log.append('session-1', others, -1n)
      server.log.append('user-1', [{ ...raw, id: crypto.randomUUID() }], -1n)
      server.misbehave('subscription', { delayMs }, { every: 2 })
      expect(await readWhole(store, { filter: { prefixes: ['user-'] } })).to.have.length(1)
      server.misbehave('subscription', { delayMs }, { every: 2 })
      const subscription = collect(store, { after: beforeAll, filter: { prefixes: ['user-'] } })
      await subscription.untilCaughtUp()
      await subscription.stop()
      expect(subscription.events()).to.have.length(1)
    })
  }

  it('is patient with a server that says that all is handed out, and then ends the subscription', async () => {
    const failures: unknown[] = []
    const log = { warn: (fields: { failures?: unknown }) => void failures.push(fields.failures) }
    const store = await openEventStoreDB({ url: server.url, timing: impatient, log })
    await store.append('user-1', [anEvent()], noStream)
    // Nothing is left to read, so that each subscription consists of a confirmation and "caught up".
    server.misbehave('subscription', 'send-then-end', { times: Number.POSITIVE_INFINITY, every: 2 })
    const subscription = collect(store, { after: await store.head() })
    await eventually(() => expect(failures).to.have.length.above(4))
    await subscription.stop()
    expect(failures.slice(0, 5)).to.deep.equal([0, 1, 2, 3, 4])
    await store.close()
  })

  it('tells a subscription that the log has become shorter than what it handed out', async () => {
    const [store] = stores
    const subscription = collect(store, { after: beforeAll, filter: { prefixes: ['user-'] } })
    await store.append('user-1', someEvents(3), noStream)
    await inTime(subscription.untilCount(3))
    const { port } = server
    await server.stop()
    server = await startEventStoreDB({ port, log: createLog() })
    expect(await inTime(failure(subscription.ended))).to.be.instanceOf(LogReplaced)
  })

  it('takes the end of a stream of appends for a failure, without waiting in vain', async () => {
    const patient = { ...impatient, attemptMs: 60_000, longestAttemptMs: 60_000 }
    const store = await openEventStoreDB({ url: server.url, timing: patient })
    await store.append('user-1', [anEvent()], noStream)
    server.misbehave('append', 'end')
    expect(await store.append('user-1', [anEvent()], 0n)).to.deep.equal({ revision: 1n })
    await store.close()
  })

  it('survives answers to appends that a failure at another server has ended', async () => {
    const [store] = stores
    const elsewhere = await startEventStoreDB()
    const other = await openEventStoreDB({ url: elsewhere.url, timing: impatient })
    await Promise.all([store, other].map(each => each.append('user-1', [anEvent()], noStream)))
    server.misbehave('append', { delayMs: 50 })
    elsewhere.misbehave('append', 'unavailable')
    await Promise.all([store, other].map(each => each.append('user-1', [anEvent()], 0n)))
    await pause(60)
    expect(server.log.stream('user-1')).to.have.length(2)
    await other.close()
    await elsewhere.stop()
  })

  it('survives calls that fail while the cluster is searched in vain for another', async () => {
    const log = createLog()
    const nodes = [await startEventStoreDB({ log }), await startEventStoreDB({ log })]
    const hosts = nodes.map(({ host, port }) => `${host}:${port}`)
    const url = `esdb://${hosts.join(',')}?tls=false&maxDiscoverAttempts=2&discoveryInterval=20`
    const store = await openEventStoreDB({ url, timing: { ...impatient, attemptMs: 500 } })
    await store.append('user-1', [anEvent()], noStream)
    const order = (operation: Operation, fault: Fault, times: number) => {
      for (const node of nodes) node.misbehave(operation, fault, { times })
    }
    order('read', 'hang', 3)
    const hanging = Array.from({ length: 3 }, () => store.readStream('user-1'))
    await pause(20)
    order('gossip', 'unavailable', 100)
    for (const node of nodes) node.faults.clear('read')
    order('read', 'unavailable', 1)
    const searching = store.readStream('user-1')
    await pause(25)
    for (const node of nodes) node.dropConnections()
    await pause(60)
    for (const node of nodes) node.faults.clear()
    for (const read of [...hanging, searching]) expect(await read).to.have.length(1)
    await store.close()
    await Promise.all(nodes.map(node => node.stop()))
  })

  it('waits for a server that is not there yet', async () => {
    const { port } = server
    await server.stop()
    const [store] = stores
    const subscription = collect(store, { after: beforeAll, filter: { prefixes: ['user-'] } })
    const append = store.append('user-1', [anEvent()], noStream, performance.now() + 4000)
    await pause(100)
    server = await startEventStoreDB({ port })
    expect(await append).to.deep.equal({ revision: 0n })
    await inTime(subscription.untilCount(1))
    await subscription.stop()
  })
})
