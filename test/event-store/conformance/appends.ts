import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import {
  EventTooLarge,
  type NewEvent,
  noStream,
  type Revision,
  RevisionConflict,
} from '../../../src/event-store/event-store.ts'
import { anEvent, idsOf, readWhole, someEvents } from '../../support/log-events.ts'
import type { OpenedStore } from '../conformance.ts'

export function appendTests(opened: () => OpenedStore): void {
  const aStream = () => `user-${randomUUID()}`
  const append = (stream: string, events: NewEvent[], expected: Revision) =>
    opened().store.append(stream, events, expected)
  const stored = async (stream: string) => idsOf(await opened().store.readStream(stream))

  async function conflict(stream: string, events: NewEvent[], expected: Revision): Promise<RevisionConflict> {
    try {
      await append(stream, events, expected)
    } catch (error) {
      if (error instanceof RevisionConflict) return error
      throw error
    }
    throw new Error(`expected a conflict, but ${stream} took the append at ${expected}`)
  }

  it('numbers the events of a stream from 0 and gives back the last revision', async () => {
    const stream = aStream()
    expect(await append(stream, someEvents(1), noStream)).to.deep.equal({ revision: 0n })
    expect(await append(stream, someEvents(3), 0n)).to.deep.equal({ revision: 3n })
    const revisions = (await opened().store.readStream(stream)).map(event => event.revision)
    expect(revisions).to.deep.equal([0n, 1n, 2n, 3n])
  })

  it('keeps every field as it was given, whatever Unicode is in it', async () => {
    const stream = `user-${randomUUID()}`
    const event = anEvent({
      text: 'Straẞe ΟΔΟΣ हिन्दी ﷺ 👩‍👩‍👧 \u0000 \ud800 "\\\n\u2028',
      'key with ünïcode': [null, true, false, 0, -1.5, 1e21, 2 ** 53 - 1, '', [], {}],
      nested: { deeper: { deepest: [{ a: 1 }] } },
    })
    await append(stream, [event], noStream)
    const [recorded] = await opened().store.readStream(stream)
    expect(recorded).to.deep.include({ ...event, stream, revision: 0n })
    expect(recorded?.position).to.be.a('bigint')
  })

  it('keeps an event of 200,000 characters', async () => {
    const stream = aStream()
    const event = anEvent({ avatar: 'é'.repeat(200_000) })
    await append(stream, [event], noStream)
    expect((await opened().store.readStream(stream))[0]?.data).to.deep.equal(event.data)
  })

  it('refuses an append at a revision where the stream is not, and tells both', async () => {
    const stream = aStream()
    await append(stream, someEvents(2), noStream)
    for (const expected of [noStream, 0n, 2n, 7n]) {
      const error = await conflict(stream, someEvents(1), expected)
      expect(error).to.include({ stream, expected, actual: 1n })
      expect(error.message).to.equal(`expected revision ${expected}, stream ${stream} is at 1`)
    }
    expect(await stored(stream)).to.have.length(2)
  })

  it('refuses an append behind revision 0 of a stream that has no event', async () => {
    const stream = aStream()
    expect(await conflict(stream, someEvents(1), 0n)).to.include({ expected: 0n, actual: noStream })
    expect(await stored(stream)).to.deep.equal([])
  })

  it('takes one of many appends at once at the same revision, and refuses the others', async () => {
    const stream = aStream()
    const attempts = await Promise.allSettled(
      someEvents(20).map(event => append(stream, [event], noStream).then(() => event.id)),
    )
    const winners = attempts.flatMap(attempt => (attempt.status === 'fulfilled' ? [attempt.value] : []))
    const losers = attempts.flatMap(attempt => (attempt.status === 'rejected' ? [attempt.reason] : []))
    expect(winners).to.have.length(1)
    for (const error of losers) {
      expect(error).to.be.instanceOf(RevisionConflict)
      expect(error).to.include({ expected: noStream, actual: 0n })
    }
    expect(await stored(stream)).to.deep.equal(winners)
  })

  it('takes appends at once to many streams, whichever of them meet a conflict', async () => {
    const streams = Array.from({ length: 30 }, aStream)
    const right = (index: number) => index % 3 !== 0
    const results = await Promise.allSettled(
      streams.map((stream, index) => append(stream, someEvents(2), right(index) ? noStream : 4n)),
    )
    expect(results.map(result => result.status)).to.deep.equal(
      streams.map((_, index) => (right(index) ? 'fulfilled' : 'rejected')),
    )
    const lengths = await Promise.all(streams.map(async stream => (await stored(stream)).length))
    expect(lengths).to.deep.equal(streams.map((_, index) => (right(index) ? 2 : 0)))
  })

  it('stores all events of an append or none', async () => {
    const stream = aStream()
    const prefix = stream
    await conflict(stream, someEvents(3), 0n)
    const tooLarge = append(
      stream,
      [...someEvents(2), anEvent({ text: 'x'.repeat(32 * 1024 * 1024) })],
      noStream,
    )
    expect(
      await tooLarge.then(
        () => 'stored',
        (error: unknown) => error,
      ),
    ).to.be.instanceOf(EventTooLarge)
    expect(await stored(stream)).to.deep.equal([])
    expect(await readWhole(opened().store, { filter: { prefixes: [prefix] } })).to.deep.equal([])
  })

  it('answers a repeated append as the first time and stores it once', async () => {
    const stream = aStream()
    const first = someEvents(2)
    const second = someEvents(2)
    await append(stream, first, noStream)
    expect(await append(stream, first, noStream)).to.deep.equal({ revision: 1n })
    await append(stream, second, 1n)
    expect(await append(stream, first, noStream)).to.deep.equal({ revision: 1n })
    expect(await append(stream, second, 1n)).to.deep.equal({ revision: 3n })
    expect(await stored(stream)).to.deep.equal(idsOf([...first, ...second]))
  })

  it('stores an append once that is sent several times at once', async () => {
    const stream = aStream()
    const events = someEvents(2)
    const answers = await Promise.all(Array.from({ length: 5 }, () => append(stream, events, noStream)))
    expect(answers).to.deep.equal(Array.from({ length: 5 }, () => ({ revision: 1n })))
    expect(await stored(stream)).to.deep.equal(idsOf(events))
  })

  it('takes a repetition for a conflict when an id, the order or the number of events differs', async () => {
    const stream = aStream()
    const [a, b, c] = [anEvent(), anEvent(), anEvent()]
    await append(stream, [a, b, c], noStream)
    for (const events of [[anEvent()], [b], [a, anEvent()], [b, a], [a, b, c, anEvent()]]) {
      expect(await conflict(stream, events, noStream)).to.include({ expected: noStream, actual: 2n })
    }
    expect(await stored(stream)).to.deep.equal(idsOf([a, b, c]))
  })

  it('does not recognize the same ids at another revision', async () => {
    const stream = aStream()
    const [a, b] = [anEvent(), anEvent()]
    await append(stream, [a, b], noStream)
    expect(await conflict(stream, [a], 0n)).to.include({ expected: 0n, actual: 1n })
    expect(await conflict(stream, [b], 2n)).to.include({ expected: 2n, actual: 1n })
    expect(await append(stream, [a], 1n)).to.deep.equal({ revision: 2n })
    expect(await stored(stream)).to.deep.equal(idsOf([a, b, a]))
  })
}
