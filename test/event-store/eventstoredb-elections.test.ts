import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { type EventStore, noStream } from '../../src/event-store/event-store.ts'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { createLog } from '../support/eventstoredb/log.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { anEvent } from '../support/log-events.ts'

describe('The EventStoreDB adapter, while a cluster elects a leader', () => {
  let nodes: EventStoreDB[]
  let store: EventStore
  /** Null while nobody leads: then gossip tells of nobody alive. */
  let leading: number | null

  beforeEach(async () => {
    const log = createLog()
    const members = () =>
      nodes.map(({ host, port }, index) => ({
        host,
        port,
        leads: index === leading,
        alive: leading !== null && index >= leading,
      }))
    nodes = []
    leading = 0
    for (let count = 0; count < 3; count++) nodes.push(await startEventStoreDB({ log, members }))
    const hosts = nodes.map(({ host, port }) => `${host}:${port}`)
    store = await openEventStoreDB({ url: `esdb://${hosts.join(',')}?tls=false&discoveryInterval=50` })
  })

  afterEach(async () => {
    await store.close()
    await Promise.all(nodes.map(node => node.stop()))
  })

  it('appends to the new leader, although none was found for longer than a search takes', async () => {
    await store.append('user-1', [anEvent()], noStream)
    leading = null
    await nodes[0]?.stop()
    const duringElection = store.append('user-1', [anEvent()], 0n, performance.now() + 10_000)
    await pause(3000)
    leading = 1
    expect(await duringElection).to.deep.equal({ revision: 1n })
    expect(await store.append('user-1', [anEvent()], 1n)).to.deep.equal({ revision: 2n })
  })

  it('turns away from a node that says of each append that it is not ready', async () => {
    await store.append('user-1', [anEvent()], noStream)
    nodes[0]?.misbehave('append', 'not-ready', { times: Number.POSITIVE_INFINITY })
    leading = 1
    const event = anEvent()
    expect(await store.append('user-1', [event], 0n)).to.deep.equal({ revision: 1n })
    expect(nodes[1]?.log.stream('user-1').map(({ id }) => id)).to.include(event.id)
  })

  it('closes at once, although gossip does not answer', async () => {
    for (const node of nodes) node.misbehave('gossip', 'hang', { times: Number.POSITIVE_INFINITY })
    const read = store.readStream('user-1').catch((error: unknown) => error)
    await pause(100)
    const closed = store.close().then(() => 'closed')
    expect(await Promise.race([closed, pause(3000, 'still closing')])).to.equal('closed')
    expect(await read).to.be.instanceOf(Error)
  })
})
