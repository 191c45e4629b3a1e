import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { beforeAll, noStream } from '../../../src/event-store/event-store.ts'
import { collect, idsOf, readWhole, someEvents } from '../../support/log-events.ts'
import type { OpenedStore } from '../conformance.ts'

export function truncationTests(opened: () => OpenedStore): void {
  async function streamOf(count: number): Promise<string> {
    const stream = `session-${randomUUID()}`
    await opened().store.append(stream, someEvents(count), noStream)
    return stream
  }

  it('makes the events before a revision unreadable in their stream, whichever way it is read', async () => {
    const { store } = opened()
    const stream = await streamOf(5)
    const events = await store.readStream(stream)
    await store.truncate(stream, 3n)
    expect(await store.readStream(stream)).to.deep.equal(events.slice(3))
    expect(await store.readStream(stream, { from: 1n, limit: 1 })).to.deep.equal(events.slice(3, 4))
    expect(await store.readStream(stream, { direction: 'backwards' })).to.deep.equal(
      events.slice(3).reverse(),
    )
    expect(await store.readStream(stream, { direction: 'backwards', from: 2n })).to.deep.equal([])
  })

  it('leaves the last event, and revisions go on from there', async () => {
    const { store } = opened()
    const stream = await streamOf(4)
    await store.truncate(stream, 3n)
    expect((await store.readStream(stream)).map(event => event.revision)).to.deep.equal([3n])
    expect(await store.append(stream, someEvents(1), 3n)).to.deep.equal({ revision: 4n })
    expect((await store.readStream(stream)).map(event => event.revision)).to.deep.equal([3n, 4n])
  })

  it('tells the revision of a truncated stream in a conflict, and takes it for no new stream', async () => {
    const { store } = opened()
    const stream = await streamOf(3)
    await store.truncate(stream, 2n)
    const refused = await store.append(stream, someEvents(1), noStream).catch((error: unknown) => error)
    expect(refused).to.include({ name: 'RevisionConflict', expected: noStream, actual: 2n })
  })

  it('never brings back what was truncated', async () => {
    const { store } = opened()
    const stream = await streamOf(5)
    await store.truncate(stream, 3n)
    await store.truncate(stream, 1n)
    await store.truncate(stream, 3n)
    expect((await store.readStream(stream)).map(event => event.revision)).to.deep.equal([3n, 4n])
  })

  it('does nothing to a stream that nobody wrote', async () => {
    const { store } = opened()
    const stream = `session-${randomUUID()}`
    await store.truncate(stream, 0n)
    expect(await store.readStream(stream)).to.deep.equal([])
    expect(await store.append(stream, someEvents(1), noStream)).to.deep.equal({ revision: 0n })
  })

  it('leaves what was not truncated in the log, for readers and subscriptions, in order', async () => {
    const { store } = opened()
    const stream = await streamOf(4)
    const filter = { prefixes: [stream] }
    const whole = await readWhole(store, { filter })
    await store.truncate(stream, 2n)
    const kept = whole.slice(2)
    const subscription = collect(store, { after: beforeAll, filter })
    await subscription.untilCaughtUp()
    await subscription.stop()
    for (const read of [await readWhole(store, { filter }), subscription.events()]) {
      expect(idsOf(read).slice(-2)).to.deep.equal(idsOf(kept))
      // A store may hand out truncated events of the whole log until it cleans up, but nothing else.
      expect(idsOf(whole)).to.include.members(idsOf(read))
    }
  })

  it('lets a subscription under way go on', async () => {
    const { store } = opened()
    const stream = await streamOf(3)
    const subscription = collect(store, { after: beforeAll, filter: { prefixes: [stream] } })
    await subscription.untilCount(3)
    await store.truncate(stream, 2n)
    await store.append(stream, someEvents(1), 2n)
    await subscription.until(() => subscription.events().some(event => event.revision === 3n))
    await subscription.stop()
    expect(subscription.events().map(event => event.revision)).to.deep.equal([0n, 1n, 2n, 3n])
  })
}
