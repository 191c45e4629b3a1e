import { expect } from 'chai'
import { type Batch, type Position, StoreUnavailable } from '../../src/event-store/event-store.ts'
import { bell, type TailedLog, tail } from '../../src/event-store/tail.ts'

/** Batches without events up to each checkpoint of a script; an Error in it is thrown once. */
function scripted(script: (Position | Error)[]): TailedLog {
  const read = (after: Position): Batch => {
    const next = script[0]
    if (next instanceof Error) {
      script.shift()
      throw next
    }
    if (next === undefined) return { events: [], checkpoint: after, caughtUp: true }
    script.shift()
    return { events: [], checkpoint: next, caughtUp: script.length === 0 }
  }
  const head = () => script.findLast(entry => typeof entry === 'bigint') ?? 0n
  return { read, bell: bell(head, 1), isFatal: (error: unknown) => error === fatal }
}

const fatal = new StoreUnavailable('damaged')

describe('Following a log', () => {
  it('goes on behind the last batch after the store was unavailable', async () => {
    const outage = () => new StoreUnavailable('no disk')
    const log = scripted([outage(), outage(), 3n, outage(), 5n])
    const abort = new AbortController()
    const checkpoints: Position[] = []
    for await (const batch of tail(log, 0n, abort.signal)) {
      checkpoints.push(batch.checkpoint)
      if (batch.caughtUp) abort.abort()
    }
    expect(checkpoints).to.deep.equal([3n, 5n])
  })

  it('fails with an error that no waiting mends, and with one that is none of the store', async () => {
    for (const error of [fatal, new TypeError('a bug')]) {
      const { signal } = new AbortController()
      const next = tail(scripted([error]), 0n, signal).next()
      expect(await next.catch((reason: unknown) => reason)).to.equal(error)
    }
  })

  it('ends while it waits out an outage', async () => {
    const abort = new AbortController()
    const log = scripted(Array.from({ length: 1000 }, () => new StoreUnavailable('no disk')))
    const next = tail(log, 0n, abort.signal).next()
    setTimeout(() => abort.abort(), 20)
    expect(await next).to.deep.equal({ done: true, value: undefined })
  })

  it('hears by looking what nobody told it', async () => {
    const script: Position[] = []
    const abort = new AbortController()
    const batches = tail(scripted(script), 0n, abort.signal)
    expect((await batches.next()).value).to.include({ checkpoint: 0n, caughtUp: true })
    const next = batches.next()
    setTimeout(() => script.push(7n), 5)
    expect((await next).value).to.include({ checkpoint: 7n })
    abort.abort()
    expect((await batches.next()).done).to.equal(true)
  })
})
