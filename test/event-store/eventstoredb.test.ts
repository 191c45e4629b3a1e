import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect } from 'chai'
import {
  beforeAll,
  type EventStore,
  EventTooLarge,
  LogReplaced,
  noStream,
  StoreUnavailable,
} from '../../src/event-store/event-store.ts'
import { type EventStoreDBOptions, openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { any, createLog, noStream as none } from '../support/eventstoredb/log.ts'
import {
  type EventStoreDB,
  type EventStoreDBOptions as ServerOptions,
  startEventStoreDB,
} from '../support/eventstoredb/server.ts'
import { impatient, openOnWireLevelServer } from '../support/eventstoredb-stores.ts'
import { anEvent, collect, idsOf, readWhole, someEvents } from '../support/log-events.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'
import { eventStoreConformance } from './conformance.ts'

eventStoreConformance('EventStoreDB', () => openOnWireLevelServer())

describe('The EventStoreDB adapter', () => {
  const toStop: { stop(): Promise<void> }[] = []
  const filter = { prefixes: ['user-'] }

  async function start(options?: ServerOptions): Promise<EventStoreDB> {
    const server = await startEventStoreDB(options)
    toStop.push(server)
    return server
  }

  async function open(options: EventStoreDBOptions): Promise<EventStore> {
    const store = await openEventStoreDB({ timing: impatient, ...options })
    toStop.push({ stop: () => store.close() })
    return store
  }

  async function bareClient({ url }: EventStoreDB): Promise<EventStoreDBClient> {
    const client = EventStoreDBClient.connectionString(url)
    toStop.push({ stop: () => client.dispose() })
    return client
  }

  async function started(options?: ServerOptions): Promise<{ server: EventStoreDB; store: EventStore }> {
    const server = await start(options)
    return { server, store: await open({ url: server.url }) }
  }

  async function failure(call: Promise<unknown>): Promise<unknown> {
    return call.then(
      () => expect.fail('expected a failure'),
      error => error,
    )
  }

  afterEach(async () => {
    for (const { stop } of toStop.splice(0).reverse()) await stop()
  })

  it('sends nothing larger than the server takes, and takes its word for what that is', async () => {
    const { server, store } = await started({ maximumAppendBytes: 5000 })
    server.misbehave('append', 'unavailable', { times: Number.POSITIVE_INFINITY })
    const huge = await failure(store.append('user-1', [anEvent({ text: 'x'.repeat(2 ** 20) })], noStream))
    expect(huge).to.be.instanceOf(EventTooLarge)
    expect(String(huge)).to.match(/append of 10\d{5} bytes to user-1, the store takes at most 1048576/)
    server.faults.clear()
    const large = await failure(store.append('user-1', [anEvent({ text: 'ü'.repeat(2500) })], noStream))
    expect(large).to.be.instanceOf(EventTooLarge)
    expect(String(large)).to.match(/at most 5000$/)
    expect(server.log.stream('user-1')).to.have.length(0)
  })

  it('truncates without losing what else the metadata of the stream says', async () => {
    const { server, store } = await started()
    const client = await bareClient(server)
    await store.append('user-1', someEvents(5), noStream)
    const acl = { $r: ['$all'], $unheardOf: 'kept' }
    const metadata = { $acl: acl, $maxCount: 100, ours: { deep: [1] } }
    await client.appendToStream('$$user-1', jsonEvent({ type: '$metadata', data: metadata }))
    await store.truncate('user-1', 3n)
    await store.truncate('user-1', 2n)
    const stored = server.log.stream('$$user-1').map(({ data }) => JSON.parse(Buffer.from(data).toString()))
    expect(stored).to.deep.equal([metadata, { ...metadata, $tb: 3 }])
  })

  it('truncates although the metadata is changed meanwhile', async () => {
    const { server, store } = await started()
    await store.append('user-1', someEvents(5), noStream)
    server.misbehave('append', { delayMs: 50 })
    const truncated = store.truncate('user-1', 3n)
    const other = jsonEvent({ type: '$metadata', data: { ours: 1 } })
    await new Promise(resolve => setTimeout(resolve, 20))
    server.log.append(
      '$$user-1',
      [{ ...other, isJson: true, data: Buffer.from('{"ours":1}'), metadata: Buffer.alloc(0) }],
      none,
    )
    await truncated
    const last = server.log.stream('$$user-1').at(-1)
    expect(JSON.parse(Buffer.from(last?.data ?? []).toString())).to.deep.equal({ ours: 1, $tb: 3 })
  })

  it('takes a deleted stream for an empty one, which goes on from its revision', async () => {
    const { server, store } = await started()
    const client = await bareClient(server)
    await store.append('user-1', someEvents(3), noStream)
    await client.deleteStream('user-1')
    expect(await store.readStream('user-1')).to.deep.equal([])
    expect(await store.append('user-1', someEvents(1), noStream)).to.deep.equal({ revision: 3n })
    expect((await store.readStream('user-1')).map(({ revision }) => revision)).to.deep.equal([3n])
  })

  it('takes a tombstoned stream for an empty one that takes nothing more', async () => {
    const { server, store } = await started()
    const client = await bareClient(server)
    await store.append('user-1', someEvents(2), noStream)
    await client.tombstoneStream('user-1')
    expect(await store.readStream('user-1')).to.deep.equal([])
    const error = await failure(store.append('user-1', someEvents(1), noStream))
    expect(String(error)).to.match(/user-1 was tombstoned/)
    expect(await readWhole(store, { filter }), 'as long as it is not scavenged').to.have.length(2)
  })

  it('passes over links, whether what they lead to is there or not', async () => {
    const { server, store } = await started()
    const client = await bareClient(server)
    const link = (data: string) => ({
      ...jsonEvent({ type: '$>', data: {} }),
      contentType: 'application/octet-stream' as const,
      data: Buffer.from(data),
    })
    const events = someEvents(2)
    await store.append('user-1', events, noStream)
    await client.appendToStream('user-2', [link('0@user-1'), link('7@user-9')])
    expect(await store.readStream('user-2')).to.deep.equal([])
    expect(idsOf(await readWhole(store, { filter }))).to.deep.equal(idsOf(events))
  })

  it('hands on data that is no JSON as text, for readers to refuse', async () => {
    const { server, store } = await started()
    const odd = { id: crypto.randomUUID(), type: 'Odd', metadata: Buffer.from('{"version":1}') }
    server.log.append('user-1', [{ ...odd, isJson: true, data: Buffer.from('{"a":') }], none)
    server.log.append('user-1', [{ ...odd, isJson: false, data: Buffer.from('plain') }], 0n)
    for (const events of [await store.readStream('user-1'), await readWhole(store, { filter })]) {
      expect(events.map(({ data }) => data)).to.deep.equal(['{"a":', 'plain'])
    }
  })

  it('hands on an event without metadata, or with some that are no JSON, as one whose metadata says nothing', async () => {
    const { server, store } = await started()
    for (const metadata of ['', 'no JSON', 'null']) {
      const event = { id: crypto.randomUUID(), type: 'Odd', isJson: true, data: Buffer.from('{}') }
      server.log.append('user-1', [{ ...event, metadata: Buffer.from(metadata) }], any)
    }
    const read = await store.readStream('user-1')
    expect(read.map(({ metadata }) => metadata)).to.deep.equal([{}, {}, {}])
    expect(await readWhole(store, { after: beforeAll })).to.deep.equal(read)
  })

  it('leaves out the events of the server itself when it reads without a filter', async () => {
    const { store } = await started()
    const events = someEvents(2)
    await store.append('user-1', events, noStream)
    await store.truncate('user-1', 1n)
    expect(idsOf(await readWhole(store))).to.deep.equal(idsOf(events))
  })

  it('moves its checkpoint on over what does not pass the filter', async () => {
    const { url } = await start()
    const store = await open({ url, timing: { ...impatient, searchWindow: 10 } })
    const subscription = collect(store, { after: beforeAll, filter })
    await subscription.untilCaughtUp()
    await store.append('other-1', someEvents(40), noStream)
    const [, event] = (await store.readStream('other-1')).slice(-11)
    await subscription.until(() =>
      subscription.batches.some(({ checkpoint }) => checkpoint >= (event?.position ?? 0n)),
    )
    await subscription.stop()
    expect(subscription.events()).to.deep.equal([])
  })

  it('gives no checkpoint beyond the end of the log, although the server counts what it shows nobody', async () => {
    const { server } = await started()
    const store = await open({ url: server.url, timing: { ...impatient, searchWindow: 10 } })
    const subscription = collect(store, { after: beforeAll, filter })
    await subscription.untilCaughtUp()
    await store.append('other-1', someEvents(15), noStream)
    const head = await store.head()
    const epoch = {
      type: '$EpochInformation',
      isJson: true,
      data: Buffer.from('{}'),
      metadata: Buffer.alloc(0),
    }
    for (let count = 0; count < 30; count++) {
      server.log.append('$epoch-information', [{ ...epoch, id: crypto.randomUUID() }], any)
    }
    await subscription.until(() => subscription.batches.some(({ checkpoint }) => checkpoint >= head))
    const last = subscription.batches.at(-1)?.checkpoint ?? beforeAll
    expect(last).to.equal(head)
    expect(await readWhole(store, { filter, after: last })).to.deep.equal([])
    await store.append('user-1', someEvents(1), noStream)
    await subscription.untilCount(1)
    await subscription.stop()
  })

  it('says that the log is another one, if it is asked for what comes after its end or where nothing is', async () => {
    const { server, store } = await started()
    await store.append('user-1', someEvents(3), noStream)
    for (const after of [server.log.end(), (await store.head()) - 1n]) {
      for (const following of [readWhole(store, { after }), collect(store, { after }).ended]) {
        expect(await failure(following)).to.be.instanceOf(LogReplaced)
      }
    }
  })

  it('finds out by itself that it has caught up, with servers that do not say so', async () => {
    const { store } = await started({ saysCaughtUp: false, hasBatchAppend: false })
    await store.append('user-1', someEvents(3), noStream)
    expect(await readWhole(store, { filter })).to.have.length(3)
    const subscription = collect(store, { after: beforeAll, filter })
    await subscription.untilCaughtUp()
    await store.append('user-1', someEvents(1), 2n)
    await subscription.untilCount(4)
    await subscription.stop()
    expect(await failure(store.append('user-1', someEvents(1), noStream))).to.include({ actual: 3n })
  })

  it('reads from the leader of a cluster what it appended, and finds the next leader', async () => {
    const log = createLog()
    const nodes: EventStoreDB[] = []
    let leading = 0
    const members = () =>
      nodes.map(({ host, port }, index) => ({
        host,
        port,
        leads: index === leading,
        alive: index >= leading,
      }))
    for (const index of [0, 1, 2]) {
      const leader = () => (index === leading ? null : (nodes[leading] ?? null))
      nodes.push(await start({ log, members, leader }))
    }
    const hosts = nodes.map(({ host, port }) => `${host}:${port}`)
    const cluster = await open({
      url: `esdb://${hosts.join(',')}?tls=false&discoveryInterval=10`,
      timing: { ...impatient, attemptMs: 1000, longestAttemptMs: 1000 },
    })
    const discovered = await open({ url: `esdb+discover://${hosts[1]}?tls=false&discoveryInterval=10` })
    const subscription = collect(cluster, { after: beforeAll, filter })
    await cluster.append('user-1', someEvents(1), noStream)
    expect(await discovered.readStream('user-1')).to.have.length(1)

    leading = 1
    await nodes[0]?.stop()
    expect(await cluster.append('user-1', someEvents(1), 0n)).to.deep.equal({ revision: 1n })
    expect(await discovered.readStream('user-1')).to.have.length(2)
    await subscription.untilCount(2)
    await subscription.stop()
  })

  it('asks the leader when it was connected to a follower', async () => {
    const log = createLog()
    const leader = await start({ log })
    const follower = await start({ log, leader: () => leader })
    const store = await open({ url: follower.url })
    await store.append('user-1', someEvents(1), noStream)
    expect(await store.readStream('user-1')).to.have.length(1)
    expect(await readWhole(store, { filter })).to.have.length(1)
    expect(leader.connections()).to.be.greaterThan(0)
  })

  it('has not caught up by what a node says that is behind the leader', async () => {
    const [first, second] = someEvents(2).map(({ metadata, ...event }) => ({
      ...event,
      isJson: true,
      data: Buffer.from('{}'),
      metadata: Buffer.from(JSON.stringify(metadata)),
    }))
    if (!first || !second) return expect.fail('expected two events')
    const leader = await start({ log: createLog() })
    const follower = await start({ log: createLog(), leader: () => leader })
    for (const { log } of [leader, follower]) log.append('user-1', [first], none)
    leader.log.append('user-1', [second], 0n)
    const store = await open({ url: follower.url })
    const after = leader.log.at('user-1', 0n)?.position ?? beforeAll
    const read = readWhole(store, { filter, after })
    await new Promise(resolve => setTimeout(resolve, 100))
    follower.log.append('user-1', [second], 0n)
    expect(idsOf(await read)).to.deep.equal([second.id])
  })

  describe('keeps secrets', () => {
    it('and connects by TLS with user and password', () =>
      withTemporaryFolder(async folder => {
        const tls = selfSignedCertificate()
        const tlsCAFile = join(folder, 'ca.pem')
        await writeFile(tlsCAFile, tls.certificate)
        const server = await start({ tls, credentials: { username: 'us er', password: 'p:a@ss' } })
        const urlWith = (password: string) =>
          `esdb://us%20er:${password}@127.0.0.1:${server.port}?tlsCAFile=${encodeURIComponent(tlsCAFile)}`
        const store = await open({ url: urlWith('p%3Aa%40ss') })
        await store.append('user-1', someEvents(1), noStream)
        expect(await readWhole(store, { filter })).to.deep.equal(await store.readStream('user-1'))

        const refused = await open({ url: urlWith('geheim') })
        for (const call of [
          () => refused.append('user-1', someEvents(1), 0n),
          () => refused.readStream('user-1'),
        ]) {
          const error = await failure(call())
          expect(error).to.be.instanceOf(StoreUnavailable)
          expect(String(error)).to.include('Access').and.not.include('geheim')
        }
      }))

    it('when the connection string is unusable', async () => {
      const printed: unknown[] = []
      const { warn } = console
      console.warn = (...args) => void printed.push(args)
      try {
        for (const url of [
          'geheim',
          'mongodb://user:geheim@127.0.0.1:1',
          'esdb://user:ge:heim@127.0.0.1:1',
          'esdb://user:ge@heim@127.0.0.1:1',
          'esdb://user:geheim@127.0.0.1:port',
          'esdb://user:geheim@127.0.0.1:1?tlsVerifyCert=false',
          'esdb://user:geheim@127.0.0.1:1?throwOnAppendFailure=false',
          'esdb://user:geheim@127.0.0.1:1?unknown=geheim',
          'esdb://user:geheim@127.0.0.1:1?tls=geheim',
          'esdb://user:geheim@127.0.0.1:1?gossipTimeout=geheim',
          'esdb://user:geheim@127.0.0.1:1?tlsCAFile=/no/such/file',
          'esdb://user:geheim@127.0.0.1:1?userCertFile=/no/such/file',
          'esdb://127.0.0.1:1?tls=false&connectionName=geheim@home',
        ]) {
          const error = await failure(openEventStoreDB({ url }))
          expect(error, url).to.be.instanceOf(Error)
          expect(JSON.stringify([String(error), error]))
            .to.match(/expected|cannot use/)
            .and.not.match(/geheim|heim/)
        }
      } finally {
        console.warn = warn
      }
      expect(printed).to.deep.equal([])
    })

    it('and says how to write an @ in an option', async () => {
      const url = 'esdb://127.0.0.1:1?tls=false&connectionName=roster@home'
      expect(String(await failure(openEventStoreDB({ url })))).to.include('%40')
      await open({ url: url.replace('@', '%40') })
    })

    it('and says that a password is not sent without TLS', async () => {
      const warnings: unknown[] = []
      const log = { warn: (...warning: unknown[]) => void warnings.push(warning) }
      await open({ url: 'esdb://user:geheim@127.0.0.1:1?tls=false', log })
      expect(JSON.stringify(warnings))
        .to.match(/not sent/)
        .and.not.match(/geheim/)
    })

    it('even when asked to print what the client does', async () => {
      const server = await start()
      const program = `
        import { openEventStoreDB } from './src/event-store/eventstoredb.ts'
        const url = ${JSON.stringify(server.url.replace('//', '//user:geheim@'))}
        const store = await openEventStoreDB({ url })
        const metadata = { actor: 'system', time: '', $correlationId: '', $causationId: '', version: 1 }
        await store.append('user-1', [{ id: crypto.randomUUID(), type: 'A', data: { geheim: 1 }, metadata }], -1n)
        await store.readStream('user-1')
        await store.close()`
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        env: { ...process.env, DEBUG: '*' },
      })
      const output: Buffer[] = []
      child.stdout.on('data', chunk => output.push(chunk))
      child.stderr.on('data', chunk => output.push(chunk))
      const [code] = await once(child, 'close')
      expect(code, String(Buffer.concat(output))).to.equal(0)
      expect(server.log.stream('user-1')).to.have.length(1)
      expect(String(Buffer.concat(output))).to.not.match(/geheim/)
    })
  })
})
