import { expect } from 'chai'
import type { Position, RecordedEvent } from '../../src/event-store/event-store.ts'
import type { Follower } from '../../src/projector/follower.ts'
import { createFollowerDuty } from '../../src/projector/follower-duty.ts'
import type { Holding } from '../../src/projector/holding.ts'
import { anEvent } from '../support/log-events.ts'

const from: Position = 100n

/** A follower of one partition that says how far it is, and the duty of it. */
async function following() {
  let done = from
  const follower: Follower = {
    ...{ name: 'f', partitions: 1, streams: ['user-'] },
    begin: () => ({ take: async () => {}, done: () => done, end: async () => {} }),
  }
  const duty = createFollowerDuty(follower, () => true)
  const holding: Holding = {
    ...{ partition: 0, epoch: 1, checkpoint: from, taken: from, confirmedAt: 0 },
    ...{ caughtUp: false, searchable: true, witness: null },
  }
  await duty.begin([holding])
  return {
    take: (positions: Position[], through: Position) =>
      duty.take(positions.map(eventAt), { through, caughtUp: true }, [holding]),
    settledAt(upTo: Position): Position {
      done = upTo
      duty.settle(holding)
      return holding.checkpoint
    },
  }
}

function eventAt(position: Position): RecordedEvent {
  return { ...anEvent(), stream: 'user-1', revision: position, position }
}

describe('The checkpoint of a follower that acts', () => {
  it('is a position that the log gave, at or before what is done', async () => {
    const { take, settledAt } = await following()
    await take([240n, 310n, 390n], 400n)
    expect(settledAt(239n)).to.equal(from)
    expect(settledAt(309n)).to.equal(240n)
    expect(settledAt(310n)).to.equal(310n)
    expect(settledAt(400n)).to.equal(400n)
  })

  it('moves on with what is read and not done, and never back', async () => {
    const { take, settledAt } = await following()
    await take([240n], 300n)
    expect(settledAt(300n)).to.equal(300n)
    await take([370n], 420n)
    expect(settledAt(369n)).to.equal(300n)
    await take([], 500n)
    expect(settledAt(369n)).to.equal(300n)
    expect(settledAt(500n)).to.equal(500n)
  })

  it('is one of them too after very many', async () => {
    const { take, settledAt } = await following()
    const positions = Array.from({ length: 25_000 }, (_, n) => 1000n + BigInt(n) * 10n)
    for (let n = 0; n < positions.length; n += 500) {
      const some = positions.slice(n, n + 500)
      await take(some, some.at(-1) ?? 0n)
    }
    const settled = settledAt(100_005n)
    expect(settled % 10n).to.equal(0n)
    expect(settled <= 100_005n && settled > 90_000n).to.equal(true)
    expect(settledAt(251_000n)).to.equal(positions.at(-1))
  })
})
