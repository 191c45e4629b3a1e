import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { canonicalJson } from '../../../src/event-store/canonical-json.ts'
import { noStream, RevisionConflict } from '../../../src/event-store/event-store.ts'
import {
  type TransferredEvent,
  untruncated,
  type WholeEventStore,
} from '../../../src/event-store/log-transfer.ts'
import { anEvent, idsOf, readWhole, someEvents } from '../../support/log-events.ts'

/** Every promise of `src/event-store/log-transfer.ts`. `opened` gives a store and closes it after the test. */
export function transferTests(opened: () => WholeEventStore): void {
  const eventAt = (stream: string, revision: bigint): TransferredEvent => ({
    ...anEvent({ revision: String(revision) }),
    stream,
    revision,
  })
  const newStream = () => `session-${randomUUID()}`

  async function readable(...streams: string[]) {
    const events: TransferredEvent[] = []
    for await (const batch of untruncated(opened(), opened().readAll())) {
      for (const { position: _, ...event } of batch.events) {
        if (streams.includes(event.stream)) events.push(event)
      }
    }
    return events
  }

  it('restores events as they were, in their order', async () => {
    const [a, b] = [newStream(), newStream()]
    const events = [eventAt(a, 0n), eventAt(b, 0n), eventAt(a, 1n), eventAt(b, 1n)]
    await opened().restore(events)
    expect(await readable(a, b)).to.deep.equal(events)
  })

  it('restores a stream that begins above 0, and appends go on from its end', async () => {
    const stream = newStream()
    const events = [eventAt(stream, 16n), eventAt(stream, 17n)]
    await opened().restore(events)
    const read = await opened().readStream(stream)
    expect(read.map(({ id, revision }) => ({ id, revision }))).to.deep.equal(
      events.map(({ id, revision }) => ({ id, revision })),
    )
    expect(await readable(stream)).to.deep.equal(events)
    expect(await opened().append(stream, someEvents(1), 17n)).to.deep.equal({ revision: 18n })
  })

  it('truncates what came before an event that lies beyond the end of its stream', async () => {
    const stream = newStream()
    const later = eventAt(stream, 9n)
    await opened().restore([eventAt(stream, 0n), eventAt(stream, 1n)])
    await opened().restore([later])
    expect(idsOf(await opened().readStream(stream))).to.deep.equal([later.id])
    expect(await readable(stream)).to.deep.equal([later])
  })

  it('changes nothing when it is done again, in part or whole', async () => {
    const stream = newStream()
    const events = [3n, 4n, 5n].map(revision => eventAt(stream, revision))
    await opened().restore(events.slice(0, 2))
    await opened().restore(events.slice(1))
    await opened().restore(events)
    expect(await readable(stream)).to.deep.equal(events)
  })

  it('passes over events that are truncated here', async () => {
    const stream = newStream()
    const events = [0n, 1n, 2n].map(revision => eventAt(stream, revision))
    await opened().restore(events)
    await opened().truncate(stream, 2n)
    await opened().restore(events)
    expect(await readable(stream)).to.deep.equal(events.slice(2))
  })

  it('refuses an event where another one stands', async () => {
    const [taken, free] = [newStream(), newStream()]
    await opened().append(taken, someEvents(2), noStream)
    const refused = await opened()
      .restore([eventAt(free, 0n), eventAt(taken, 1n)])
      .catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(RevisionConflict)
    expect(await opened().readStream(taken)).to.have.lengthOf(2)
  })

  it('hands out no truncated event when the whole log is read', async () => {
    const stream = newStream()
    const events = [0n, 1n, 2n].map(revision => eventAt(stream, revision))
    await opened().restore(events)
    await opened().truncate(stream, 1n)
    expect(await readable(stream)).to.deep.equal(events.slice(1))
  })

  it('reads texts as it reads events: the same in the same order, in canonical JSON', async () => {
    const stream = newStream()
    await opened().restore([
      { ...anEvent({ b: 1, a: { ü: 'ß', '1': [null, 0.5] } }), stream, revision: 0n },
      eventAt(stream, 1n),
    ])
    await opened().append(stream, [anEvent({ z: '', y: [] })], 1n)
    const filter = { prefixes: [stream] }
    const texts = []
    for await (const batch of opened().readTexts({ filter })) texts.push(...batch.events)
    expect(texts).to.deep.equal(
      (await readWhole(opened(), { filter })).map(event => ({
        ...event,
        data: canonicalJson(event.data),
        metadata: canonicalJson(event.metadata),
      })),
    )
    expect(texts[0]?.data).to.equal('{"a":{"1":[null,0.5],"ü":"ß"},"b":1}')
  })
}
