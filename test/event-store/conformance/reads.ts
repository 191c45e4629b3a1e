import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type Batch, noStream, type RecordedEvent } from '../../../src/event-store/event-store.ts'
import { idsOf, readWhole, someEvents } from '../../support/log-events.ts'
import type { OpenedStore } from '../conformance.ts'

export function readTests(opened: () => OpenedStore): void {
  const revisions = (events: RecordedEvent[]) => events.map(event => Number(event.revision))

  async function streamOf(count: number): Promise<string> {
    const stream = `user-${randomUUID()}`
    await opened().store.append(stream, someEvents(count), noStream)
    return stream
  }

  it('reads a stream forwards, all of it or from a revision and up to a limit', async () => {
    const { store } = opened()
    const stream = await streamOf(5)
    const read = async (options?: Parameters<typeof store.readStream>[1]) =>
      revisions(await store.readStream(stream, options))
    expect(await read()).to.deep.equal([0, 1, 2, 3, 4])
    expect(await read({ direction: 'forwards', limit: 2 })).to.deep.equal([0, 1])
    expect(await read({ from: 3n })).to.deep.equal([3, 4])
    expect(await read({ from: 1n, limit: 2 })).to.deep.equal([1, 2])
    expect(await read({ from: 5n })).to.deep.equal([])
    expect(await read({ from: 99n, limit: 1 })).to.deep.equal([])
  })

  it('reads a stream backwards, all of it or from a revision and up to a limit', async () => {
    const { store } = opened()
    const stream = await streamOf(5)
    const read = async (options: { from?: bigint; limit?: number }) =>
      revisions(await store.readStream(stream, { direction: 'backwards', ...options }))
    expect(await read({})).to.deep.equal([4, 3, 2, 1, 0])
    expect(await read({ limit: 1 })).to.deep.equal([4])
    expect(await read({ from: 2n })).to.deep.equal([2, 1, 0])
    expect(await read({ from: 3n, limit: 2 })).to.deep.equal([3, 2])
    expect(await read({ from: 99n, limit: 2 })).to.deep.equal([4, 3])
  })

  it('reads a stream of a thousand events whole', async () => {
    const { store } = opened()
    const stream = await streamOf(1000)
    expect(await store.readStream(stream)).to.have.length(1000)
    expect(await store.readStream(stream, { direction: 'backwards' })).to.have.length(1000)
  })

  it('reads a stream that nobody wrote as an empty one', async () => {
    const { store } = opened()
    const stream = `user-${randomUUID()}`
    expect(await store.readStream(stream)).to.deep.equal([])
    expect(await store.readStream(stream, { direction: 'backwards', limit: 1 })).to.deep.equal([])
    expect(await store.readStream(stream, { from: 3n })).to.deep.equal([])
  })

  it('keeps streams apart whose names begin alike', async () => {
    const { store } = opened()
    const stream = await streamOf(1)
    await store.append(`${stream}0`, someEvents(2), noStream)
    expect(await store.readStream(stream)).to.have.length(1)
    expect(await store.readStream(`${stream}0`)).to.have.length(2)
  })

  it('reads the whole log in the order of the appends, with growing positions', async () => {
    const { store } = opened()
    const [a, b] = [await streamOf(2), await streamOf(1)]
    await store.append(a, someEvents(2), 1n)
    const events = (await readWhole(store)).filter(event => event.stream === a || event.stream === b)
    expect(events.map(event => [event.stream, event.revision])).to.deep.equal([
      [a, 0n],
      [a, 1n],
      [b, 0n],
      [a, 2n],
      [a, 3n],
    ])
    const positions = events.map(event => event.position)
    expect(positions).to.deep.equal([...new Set(positions)].sort((x, y) => (x < y ? -1 : 1)))
    expect(await store.readStream(a)).to.deep.equal(events.filter(event => event.stream === a))
  })

  it('reads the log on from any position, that position excluded', async () => {
    const { store } = opened()
    const filter = { prefixes: [await streamOf(4)] }
    const events = await readWhole(store, { filter })
    for (const [index, { position }] of events.entries()) {
      expect(await readWhole(store, { after: position, filter })).to.deep.equal(events.slice(index + 1))
    }
  })

  it('reads only streams that begin with one of the prefixes', async () => {
    const { store } = opened()
    const tag = randomUUID()
    for (const stream of [`user-${tag}-1`, `session-${tag}-1`, `ids-${tag}`, `user-${tag}-2`]) {
      await store.append(stream, someEvents(1), noStream)
    }
    const read = async (...prefixes: string[]) =>
      (await readWhole(store, { filter: { prefixes } })).map(event => event.stream.replace(tag, ''))
    expect(await read(`user-${tag}`)).to.deep.equal(['user--1', 'user--2'])
    expect(await read(`session-${tag}`, `user-${tag}`)).to.deep.equal(['user--1', 'session--1', 'user--2'])
    expect(await read(`user-${tag}-2`)).to.deep.equal(['user--2'])
    expect(await read(`nothing-${tag}`)).to.deep.equal([])
  })

  it('says with the last batch that it has caught up, also when nothing passes the filter', async () => {
    const { store } = opened()
    const stream = await streamOf(3)
    for (const prefixes of [[stream], [`nothing-${stream}`]]) {
      const batches: Batch[] = []
      for await (const batch of store.readAll({ filter: { prefixes } })) batches.push(batch)
      expect(batches.map(batch => batch.caughtUp)).to.deep.equal([...batches.slice(1).map(() => false), true])
    }
  })

  it('gives each batch a checkpoint at or behind its events, from where reading goes on without a gap', async () => {
    const { store } = opened()
    const stream = await streamOf(1500)
    const filter = { prefixes: [stream] }
    let count = 0
    for await (const { events, checkpoint } of store.readAll({ filter })) {
      count += events.length
      for (const event of events) expect(event.position <= checkpoint).to.equal(true)
      const [next] = (await store.readAll({ after: checkpoint, filter })[Symbol.asyncIterator]().next()).value
        .events
      expect(next?.revision).to.equal(count < 1500 ? BigInt(count) : undefined)
    }
    expect(count).to.equal(1500)
  })

  it('ends reading the log when told to', async () => {
    const { store } = opened()
    await streamOf(10)
    const abort = new AbortController()
    abort.abort()
    for await (const _ of store.readAll({ signal: abort.signal })) throw new Error('it went on')
  })

  it('has its head at or behind the last event that was appended', async () => {
    const { store } = opened()
    const before = await store.head()
    const stream = await streamOf(2)
    const head = await store.head()
    expect(head > before).to.equal(true)
    for (const event of await store.readStream(stream)) expect(event.position <= head).to.equal(true)
    expect(idsOf(await readWhole(store, { after: head, filter: { prefixes: [stream] } }))).to.deep.equal([])
  })
}
