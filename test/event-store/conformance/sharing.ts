import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import {
  beforeAll,
  type EventStore,
  noStream,
  RevisionConflict,
} from '../../../src/event-store/event-store.ts'
import { anEvent, collect, idsOf, readWhole, someEvents } from '../../support/log-events.ts'
import type { OpenedStore } from '../conformance.ts'

/** What holds beyond one store. */
export function sharingTests(opened: () => OpenedStore): void {
  const aStream = () => `user-${randomUUID()}`

  /** Appends `count` events one after the other wherever the stream is, and gives back their ids. */
  async function appendWherever(store: EventStore, stream: string, count: number): Promise<string[]> {
    const ids: string[] = []
    let at = noStream
    while (ids.length < count) {
      const event = anEvent()
      try {
        at = (await store.append(stream, [event], at)).revision
        ids.push(event.id)
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error
        at = error.actual
      }
    }
    return ids
  }

  it('goes on after a reopen: events, revisions, truncations, positions', async () => {
    const { store, reopen } = opened()
    const [stream, truncated] = [aStream(), aStream()]
    await store.append(stream, someEvents(3), noStream)
    await store.append(truncated, someEvents(3), noStream)
    await store.truncate(truncated, 2n)
    const events = await store.readStream(stream)
    const head = await store.head()

    const again = await reopen()
    expect(await again.readStream(stream)).to.deep.equal(events)
    expect((await again.readStream(truncated)).map(event => event.revision)).to.deep.equal([2n])
    expect((await again.head()) >= head).to.equal(true)
    expect(await again.append(truncated, someEvents(1), 2n)).to.deep.equal({ revision: 3n })
  })

  it('hands out each event once to a subscription that goes on after a reopen', async () => {
    const { store, reopen } = opened()
    const stream = aStream()
    const filter = { prefixes: [stream] }
    await store.append(stream, someEvents(5), noStream)
    const before = collect(store, { after: beforeAll, filter })
    await before.untilCount(5)
    await store.append(stream, someEvents(5), 4n)
    await before.stop()

    const again = await reopen()
    const after = collect(again, { after: before.batches.at(-1)?.checkpoint ?? beforeAll, filter })
    await again.append(stream, someEvents(5), 9n)
    await after.untilCount(15 - before.events().length)
    await after.stop()
    expect([...before.events(), ...after.events()]).to.deep.equal(await again.readStream(stream))
  })

  it('shows in one store what another has acknowledged', async () => {
    const { store, openAnother } = opened()
    const second = await openAnother()
    const stream = aStream()
    for (let at = noStream; at < 10n; at += 2n) {
      await store.append(stream, someEvents(1), at)
      const [last] = await second.readStream(stream, { direction: 'backwards', limit: 1 })
      expect(last?.revision).to.equal(at + 1n)
      await second.append(stream, someEvents(1), at + 1n)
      expect(await store.readStream(stream, { from: at + 2n })).to.have.length(1)
    }
  })

  it('tells one store of a conflict with another', async () => {
    const { store, openAnother } = opened()
    const second = await openAnother()
    const stream = aStream()
    await store.append(stream, someEvents(2), noStream)
    const refused = await second.append(stream, someEvents(1), noStream).catch((error: unknown) => error)
    expect(refused).to.include({ name: 'RevisionConflict', expected: noStream, actual: 1n })
  })

  it('answers in one store an append repeated after it was sent to another', async () => {
    const { store, openAnother } = opened()
    const second = await openAnother()
    const stream = aStream()
    const events = someEvents(2)
    await store.append(stream, events, noStream)
    expect(await second.append(stream, events, noStream)).to.deep.equal({ revision: 1n })
    expect(await store.readStream(stream)).to.have.length(2)
  })

  it('wakes a subscription in one store by an append in another', async () => {
    const { store, openAnother } = opened()
    const second = await openAnother()
    const stream = aStream()
    const subscription = collect(second, { after: await second.head(), filter: { prefixes: [stream] } })
    await subscription.untilCaughtUp()
    for (let at = noStream; at < 4n; at++) {
      await store.append(stream, someEvents(1), at)
      await subscription.untilCount(Number(at) + 2)
    }
    await subscription.stop()
    expect(subscription.events()).to.deep.equal(await store.readStream(stream))
  })

  it('gives two stores that append to one stream at once one order, without gap or duplicate', async () => {
    const { store, openAnother } = opened()
    const second = await openAnother()
    const stream = aStream()
    const filter = { prefixes: [stream] }
    const subscriptions = [store, second].map(each => collect(each, { after: beforeAll, filter }))
    const [mine, others] = await Promise.all([
      appendWherever(store, stream, 25),
      appendWherever(second, stream, 25),
    ])
    const events = await store.readStream(stream)
    expect(events.map(event => event.revision)).to.deep.equal(events.map((_, index) => BigInt(index)))
    expect(idsOf(events)).to.have.members([...mine, ...others])
    expect(await readWhole(second, { filter })).to.deep.equal(events)
    for (const subscription of subscriptions) {
      await subscription.untilCount(50)
      await subscription.stop()
      expect(subscription.events()).to.deep.equal(events)
    }
  })
}
