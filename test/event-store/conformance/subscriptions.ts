import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import {
  beforeAll,
  type EventStore,
  noStream,
  StoreUnavailable,
} from '../../../src/event-store/event-store.ts'
import { collect, idsOf, readWhole, someEvents } from '../../support/log-events.ts'
import type { OpenedStore } from '../conformance.ts'

export function subscriptionTests(opened: () => OpenedStore): void {
  const aStream = () => `user-${randomUUID()}`

  async function failure(call: Promise<unknown>): Promise<unknown> {
    return call.then(
      () => 'no error',
      (error: unknown) => error,
    )
  }

  async function appendOneByOne(store: EventStore, stream: string, count: number): Promise<string[]> {
    const events = someEvents(count)
    for (const [index, event] of events.entries()) await store.append(stream, [event], BigInt(index) - 1n)
    return idsOf(events)
  }

  it('hands out what is there and then what is appended, in order', async () => {
    const { store } = opened()
    const stream = aStream()
    const [there, later] = [someEvents(3), someEvents(2)]
    await store.append(stream, there, noStream)
    const subscription = collect(store, { after: beforeAll, filter: { prefixes: [stream] } })
    await subscription.untilCount(3)
    await store.append(stream, later, 2n)
    await subscription.untilCount(5)
    await subscription.stop()
    expect(subscription.events()).to.deep.equal(await store.readStream(stream))
  })

  it('begins behind any position', async () => {
    const { store } = opened()
    const stream = aStream()
    const filter = { prefixes: [stream] }
    await store.append(stream, someEvents(5), noStream)
    const events = await readWhole(store, { filter })
    for (const [index, { position }] of events.entries()) {
      const subscription = collect(store, { after: position, filter })
      await subscription.untilCaughtUp()
      await subscription.stop()
      expect(subscription.events()).to.deep.equal(events.slice(index + 1))
    }
  })

  it('says that it has caught up, after the last event there was and also when there was none', async () => {
    const { store } = opened()
    const stream = aStream()
    const filter = { prefixes: [stream] }
    const onNothing = collect(store, { after: beforeAll, filter })
    await onNothing.untilCaughtUp()
    expect(onNothing.events()).to.deep.equal([])
    await onNothing.stop()

    await store.append(stream, someEvents(3), noStream)
    const subscription = collect(store, { after: beforeAll, filter })
    await subscription.untilCaughtUp()
    await subscription.stop()
    const upTo = subscription.batches.findIndex(batch => batch.caughtUp)
    expect(subscription.batches.slice(0, upTo + 1).flatMap(batch => batch.events)).to.have.length(3)
  })

  it('gives each batch a checkpoint behind which another subscription goes on without gap or duplicate', async () => {
    const { store } = opened()
    const stream = aStream()
    const filter = { prefixes: [stream] }
    const ids: string[] = []
    let checkpoint = await store.head()
    for (let round = 0; round < 4; round++) {
      const subscription = collect(store, { after: checkpoint, filter })
      const events = someEvents(2)
      await store.append(stream, events, BigInt(ids.length) - 1n)
      await subscription.untilCount(2)
      await subscription.stop()
      expect(idsOf(subscription.events())).to.deep.equal(idsOf(events))
      ids.push(...idsOf(events))
      checkpoint = subscription.batches.at(-1)?.checkpoint ?? checkpoint
    }
  })

  it('loses and repeats nothing however many subscribe while many append', async () => {
    const { store } = opened()
    const tag = randomUUID()
    const after = await store.head()
    const filter = { prefixes: [tag] }
    const subscriptions = [collect(store, { after, filter })]
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        await appendOneByOne(store, `${tag}-${writer}`, 10)
        subscriptions.push(collect(store, { after, filter }))
        await appendOneByOne(store, `${tag}-${writer}-more`, 10)
      }),
    )
    const all = idsOf(await readWhole(store, { after, filter }))
    expect(all).to.have.length(160)
    for (const subscription of subscriptions) {
      await subscription.untilCount(160)
      await subscription.stop()
      expect(idsOf(subscription.events())).to.deep.equal(all)
    }
  })

  it('waits for a consumer that takes its time, and then gives it everything', async () => {
    const { store } = opened()
    const stream = aStream()
    const abort = new AbortController()
    const ids: string[] = []
    await store.append(stream, someEvents(1), noStream)
    for await (const batch of store.subscribe({
      after: beforeAll,
      filter: { prefixes: [stream] },
      signal: abort.signal,
    })) {
      ids.push(...idsOf(batch.events))
      if (ids.length === 1) for (let at = 0n; at < 9n; at++) await store.append(stream, someEvents(1), at)
      if (ids.length === 10) abort.abort()
    }
    expect(ids).to.deep.equal(idsOf(await store.readStream(stream)))
  })

  it('passes over streams of other prefixes, and hands out those that pass as they come', async () => {
    const { store } = opened()
    const [mine, other] = [aStream(), aStream()]
    const subscription = collect(store, { after: await store.head(), filter: { prefixes: [mine] } })
    await appendOneByOne(store, other, 3)
    const ids = await appendOneByOne(store, mine, 1)
    await appendOneByOne(store, `${other}-2`, 3)
    ids.push(...(await appendOneByOne(store, `${mine}-2`, 1)))
    await subscription.untilCount(2)
    await subscription.stop()
    expect(idsOf(subscription.events())).to.deep.equal(ids)
  })

  it('without a filter hands out every stream', async () => {
    const { store } = opened()
    const streams = [aStream(), `session-${randomUUID()}`]
    const subscription = collect(store, { after: await store.head() })
    for (const stream of streams) await store.append(stream, someEvents(1), noStream)
    const mine = () => subscription.events().filter(event => streams.includes(event.stream))
    await subscription.until(() => mine().length === 2)
    await subscription.stop()
    expect(mine().map(event => event.stream)).to.deep.equal(streams)
  })

  it('ends when told to: at once, while it waits, and between two batches', async () => {
    const { store } = opened()
    const filter = { prefixes: [aStream()] }
    const aborted = AbortSignal.abort()
    for await (const _ of store.subscribe({ after: beforeAll, filter, signal: aborted })) {
      throw new Error('it began')
    }

    const waiting = collect(store, { after: beforeAll, filter })
    await waiting.untilCaughtUp()
    await waiting.stop()

    const between = new AbortController()
    let batches = 0
    for await (const _ of store.subscribe({ after: beforeAll, filter, signal: between.signal })) {
      batches++
      between.abort()
    }
    expect(batches).to.equal(1)
  })

  it('frees a subscription that is left in the middle', async () => {
    const { store } = opened()
    const { signal } = new AbortController()
    for await (const _ of store.subscribe({ after: beforeAll, filter: { prefixes: [aStream()] }, signal }))
      break
    expect(await store.head()).to.be.a('bigint')
  })

  it('ends its subscriptions and refuses calls once it is closed, after the appends under way', async () => {
    const { store } = opened()
    const stream = aStream()
    const subscription = collect(store, { after: beforeAll, filter: { prefixes: [stream] } })
    await subscription.untilCaughtUp()
    const appends = Promise.all(
      someEvents(5).map(event => store.append(`${stream}-${event.id}`, [event], noStream)),
    )
    await store.close()
    await appends
    await subscription.ended

    const calls = [
      store.append(stream, someEvents(1), noStream),
      store.readStream(stream),
      store.head(),
      store.truncate(stream, 1n),
      readWhole(store),
    ]
    for (const error of await Promise.all(calls.map(failure))) {
      expect(error).to.be.instanceOf(StoreUnavailable)
      expect(String(error)).to.match(/closed/)
    }
    await store.close()
  })
}
