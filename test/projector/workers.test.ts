import { expect } from 'chai'
import { profiles } from '../../projections/profiles.ts'
import type { RecordedEvent } from '../../src/event-store/event-store.ts'
import type { Follower, Hold } from '../../src/projector/follower.ts'
import type { Lease } from '../../src/read-store/read-store.ts'
import { eventually } from '../support/eventually.ts'
import { edited, openStage, quick, registered, type Stage } from './stage.ts'

describe('several workers', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await openStage()
  })
  afterEach(() => stage.close())

  const owners = async () => (await stage.readStore.leases('profiles.1')).map(({ owner }) => owner)
  const held = async () => {
    const counts = new Map<string | null, number>()
    for (const owner of await owners()) counts.set(owner, (counts.get(owner) ?? 0) + 1)
    return [...counts.values()].sort()
  }

  it('share the partitions evenly, whoever comes and goes', async () => {
    const first = await stage.start({ readStore: await stage.connect() })
    expect(await owners()).to.deep.equal([first.id, first.id, first.id, first.id])
    await stage.start({ readStore: await stage.connect() })
    await eventually(async () => expect(await held()).to.deep.equal([2, 2]))
    const third = await stage.start({ readStore: await stage.connect() })
    await eventually(async () => expect(await held()).to.deep.equal([1, 1, 2]))
    for (let id = 1; id <= 40; id++) await stage.append(id, registered(id, `user${id}`))
    await stage.untilTrue()
    await third.stop()
    await eventually(async () => {
      expect(await held()).to.deep.equal([2, 2])
      expect(await owners()).to.not.include(third.id)
    })
    for (let id = 1; id <= 40; id++) await stage.append(id, edited({ bio: 'again' }))
    await stage.untilTrue()
  })

  it('give their leases back when they stop', async () => {
    const worker = await stage.start()
    await worker.stop()
    expect(await owners()).to.deep.equal([null, null, null, null])
    expect(await stage.readStore.workers()).to.deep.equal([])
  })

  it('take over from one that shows no sign of life, from its checkpoint on', async () => {
    const first = await stage.start()
    await stage.append(1, registered(1, 'ada'))
    await stage.untilTrue()
    await first.stop()
    await stage.append(2, registered(2, 'bob'))
    // A worker that died: it holds everything, and never renews.
    await stage.readStore.beat('dead', [`profiles@${profiles.version}`])
    const taken: Lease[] = []
    for (const lease of await stage.readStore.leases('profiles.1')) {
      const dead = await stage.readStore.takeLease(lease, 'dead')
      if (dead) taken.push(dead)
    }
    expect(taken).to.have.length(4)
    const next = await stage.start({ timing: { startMs: 1 } })
    expect(await owners()).to.deep.equal(['dead', 'dead', 'dead', 'dead'])
    await eventually(async () => expect(await owners()).to.deep.equal([next.id, next.id, next.id, next.id]))
    await stage.untilTrue()
    const late = taken.map(({ partition, epoch }) => ({
      partition,
      epoch,
      checkpoint: 999n,
      caughtUp: true,
      searchable: true,
      witness: null,
    }))
    expect(await stage.readStore.renewLeases('profiles.1', late)).to.deep.equal([0, 1, 2, 3])
  })

  it('go on when leases are stolen from under them', async () => {
    await stage.start()
    for (let round = 0; round < 5; round++) {
      for (const lease of await stage.readStore.leases('profiles.1')) {
        await stage.readStore.takeLease(lease, 'thief')
      }
      for (let id = 1; id <= 20; id++) {
        await stage.append(id, round === 0 ? registered(id, `user${id}`) : edited({ bio: String(round) }))
      }
    }
    await stage.untilTrue()
  })

  describe('with a follower that acts', () => {
    /** Notes what it is handed; settles an event when told to. */
    function notes(name = 'notes') {
      const seen: string[] = []
      const holds: Hold[] = []
      let settled = true
      const follower: Follower = {
        name,
        partitions: 1,
        streams: ['user-'],
        begin(hold) {
          holds.push(hold)
          let done = hold.checkpoint
          return {
            async take(events: readonly RecordedEvent[], { through }) {
              seen.push(...events.map(event => `${event.stream}@${event.revision}`))
              if (settled) done = through
            },
            done: () => done,
            async end() {},
          }
        },
      }
      return {
        follower,
        seen,
        holds,
        unsettled: () => {
          settled = false
        },
      }
    }

    it('let one of them act, and another go on when it stops', async () => {
      const [a, b] = [notes(), notes()]
      const first = await stage.start({ followers: [a.follower], readStore: await stage.connect() })
      await stage.append(1, registered(1, 'ada'))
      await eventually(() => expect(a.seen).to.deep.equal(['user-1@0']))
      expect(a.holds[0]?.isHeld()).to.equal(true)
      await stage.start({ followers: [b.follower], readStore: await stage.connect() })
      await first.stop()
      expect(a.holds[0]?.isHeld()).to.equal(false)
      await stage.append(1, edited({ bio: 'x' }))
      await eventually(() => expect([...a.seen, ...b.seen]).to.deep.equal(['user-1@0', 'user-1@1']))
    })

    it('hand out again what was not settled', async () => {
      const a = notes()
      a.unsettled()
      const first = await stage.start({ followers: [a.follower] })
      await stage.append(1, registered(1, 'ada'))
      await eventually(() => expect(a.seen).to.deep.equal(['user-1@0']))
      await first.stop()
      const b = notes()
      await stage.start({ followers: [b.follower] })
      await eventually(() => expect(b.seen).to.deep.equal(['user-1@0']))
    })

    it('hold up nobody when it fails, and try again', async () => {
      const a = notes()
      let failures = 3
      const failing: Follower = {
        ...a.follower,
        begin(hold) {
          const work = a.follower.begin(hold)
          return {
            ...work,
            async take(events, read) {
              if (events.length > 0 && failures-- > 0) throw new Error('not now')
              await work.take(events, read)
            },
          }
        },
      }
      await stage.start({ followers: [failing] })
      await stage.append(1, registered(1, 'ada'))
      await stage.untilTrue()
      await stage.append(2, registered(2, 'bob'))
      await stage.untilTrue()
      await eventually(() => expect(a.seen).to.deep.equal(['user-1@0', 'user-2@0']))
    })

    it('know that they may have lost it when they were paused', async () => {
      const a = notes()
      await stage.start({ followers: [a.follower], timing: { renewMs: 60_000 } })
      await new Promise(resolve => setTimeout(resolve, quick.leaseMs))
      expect(a.holds[0]?.isHeld()).to.equal(false)
    })

    it('follow another log from its beginning', async () => {
      const a = notes()
      const first = await stage.start({ followers: [a.follower] })
      await stage.append(1, registered(1, 'ada'))
      await eventually(() => expect(a.seen).to.have.length(1))
      await first.stop()
      const b = notes()
      await stage.start({ followers: [b.follower], logId: 'log-b' })
      await eventually(() => expect(b.seen).to.deep.equal(['user-1@0']))
    })
  })
})
