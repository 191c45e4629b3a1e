import { expect } from 'chai'
import fc from 'fast-check'
import { fairShare } from '../../src/projector/share.ts'
import { partitionOf, stableHash } from '../../src/projector/stable-hash.ts'
import { createStillness } from '../../src/projector/stillness.ts'
import { isGone, newWorkerId } from '../../src/projector/worker-id.ts'

describe('the sharing of partitions', () => {
  it('gives each worker its share, and all of them together everything', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 16 }),
        (workers, partitions) => {
          const shares = workers.map(worker => fairShare('profiles.1', partitions, workers, worker))
          expect(shares.reduce((sum, share) => sum + share, 0)).to.equal(partitions)
          expect(Math.max(...shares) - Math.min(...shares)).to.be.at.most(1)
        },
      ),
    )
  })

  it('gives nothing to who is not among the workers', () => {
    expect(fairShare('profiles.1', 4, ['a', 'b'], 'c')).to.equal(0)
    expect(fairShare('profiles.1', 4, [], 'c')).to.equal(0)
  })

  it('does not give all followers with one partition to the same worker', () => {
    const workers = ['a', 'b', 'c']
    const holders = Array.from({ length: 30 }, (_, at) =>
      workers.find(worker => fairShare(`follower${at}`, 1, workers, worker) === 1),
    )
    expect(new Set(holders).size).to.equal(3)
  })
})

describe('the hash of a stream', () => {
  it('is the same for ever', () => {
    const hashes = ['', 'user-1', 'user-42', 'session-4f1c', 'ö😀'].map(stableHash)
    expect(hashes).to.deep.equal([2166202364, 4115829714, 39876459, 2380877288, 1500888702])
  })

  it('spreads neighbours over the partitions', () => {
    for (const partitions of [2, 3, 4, 16]) {
      const counts = new Array<number>(partitions).fill(0)
      for (let id = 0; id < 16_000; id++) {
        const partition = partitionOf(`user-${id}`, partitions)
        counts[partition] = (counts[partition] ?? 0) + 1
      }
      expect(Math.min(...counts)).to.be.greaterThan((16_000 / partitions) * 0.8)
    }
  })
})

describe('stillness', () => {
  it('lasts as long as the value is seen unchanged', () => {
    let now = 0
    const stillness = createStillness(() => now)
    expect(stillness.see('a', '1')).to.equal(0)
    now = 5
    expect(stillness.see('a', '1')).to.equal(5)
    expect(stillness.see('b', '1')).to.equal(0)
    expect(stillness.see('a', '2')).to.equal(0)
    now = 8
    expect(stillness.see('a', '2')).to.equal(3)
    stillness.forget('a')
    expect(stillness.see('a', '2')).to.equal(0)
  })
})

describe('a worker id', () => {
  it('is new each time, and tells of no ended process while this one runs', () => {
    const [a, b] = [newWorkerId(), newWorkerId()]
    expect(a).to.not.equal(b)
    expect(isGone(a)).to.equal(false)
  })

  it('tells of a process of this machine that has ended', () => {
    const [machine, , uuid] = newWorkerId().split('.')
    if (machine !== 'somewhere') expect(isGone(`${machine}.4194304.${uuid}`)).to.equal(true)
  })

  it('tells nothing of other machines', () => {
    const [, , uuid] = newWorkerId().split('.')
    expect(isGone(`elsewhere.4194304.${uuid}`)).to.equal(false)
    expect(isGone('dead')).to.equal(false)
  })
})
