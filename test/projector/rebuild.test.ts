import { expect } from 'chai'
import { type Profile, profiles } from '../../projections/profiles.ts'
import { noStream, type RecordedEvent } from '../../src/event-store/event-store.ts'
import { requestRebuild, requestRollback, requestStop } from '../../src/projector/generation-requests.ts'
import { createProfileQueries } from '../../src/projector/profile-queries.ts'
import type { Projection } from '../../src/projector/projection.ts'
import { projectionStatus } from '../../src/projector/status.ts'
import { eventually } from '../support/eventually.ts'
import { edited, foldOfLog, logId, openStage, quick, registered, type Stage, scanAll } from './stage.ts'

/** The next version shouts. */
const louder: Projection<Profile> = {
  ...profiles,
  version: profiles.version + 1,
  evolve(profile, event) {
    const evolved = profiles.evolve(profile, event)
    return evolved && { ...evolved, bio: evolved.bio.toUpperCase() }
  },
}

describe('a rebuild', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await openStage()
  })
  afterEach(() => stage.close())

  const pointer = () => stage.readStore.pointer('profiles')
  const numbers = async () => (await stage.readStore.generations('profiles')).map(({ number }) => number)

  async function fill(users = 30): Promise<void> {
    for (let id = 1; id <= users; id++)
      await stage.append(id, registered(id, `user${id}`), edited({ bio: `b${id}` }))
  }

  it('follows by itself when the code has a newer version, while the live one goes on', async () => {
    const timing = { keepFeedingMs: 60_000 }
    const old = await stage.start({ readStore: await stage.connect(), timing })
    await fill()
    await stage.untilTrue()
    await stage.start({ projections: [louder], readStore: await stage.connect(), timing })
    for (let id = 1; id <= 30; id++) await stage.append(id, edited({ bio: `c${id}` }))
    await eventually(async () => expect((await pointer())?.live).to.equal(2))
    await stage.untilTrue(louder)
    const documents = await stage.documents(profiles, 1)
    const expected = await foldOfLog(stage.eventStore, profiles)
    await eventually(async () => expect(await scanAll(documents)).to.deep.equal(expected))
    await old.stop()
  })

  it('is left to a worker that is there for it alone, which leaves the live one to the others', async () => {
    const timing = { keepFeedingMs: 60_000 }
    const owners = async (number: number) =>
      (await stage.readStore.leases(`profiles.${number}`)).map(({ owner }) => owner)
    const service = await stage.start({ readStore: await stage.connect(), timing })
    await fill()
    await requestRebuild(stage.readStore, profiles, { logId, partitions: 4, reason: 'asked', now: 0 })
    const tool = await stage.start({ readStore: await stage.connect(), timing, only: ['profiles.2'] })
    await eventually(async () => {
      expect((await pointer())?.live).to.equal(2)
      expect(await owners(2)).to.deep.equal(new Array(4).fill(tool.id))
      expect(await owners(1)).to.deep.equal(new Array(4).fill(service.id))
    })
    await tool.stop()
    await eventually(async () => expect(await owners(2)).to.deep.equal(new Array(4).fill(service.id)))
    await stage.untilTrue()
  })

  it('goes through the same states whoever looks: building, joining, live', async () => {
    const phases = new Set<string>()
    await stage.start()
    await fill(3)
    await requestRebuild(stage.readStore, profiles, { logId, partitions: 2, reason: 'asked', now: 0 })
    await eventually(async () => {
      const now = await pointer()
      phases.add(now?.next?.phase ?? 'none')
      expect(now?.live).to.equal(2)
    })
    expect([...phases]).to.deep.equal(['building', 'joining', 'none'])
    expect((await stage.readStore.generations('profiles')).at(-1)).to.deep.include({
      partitions: 2,
      reason: 'asked',
    })
    await stage.untilTrue()
  })

  it('makes the same read model again', async () => {
    await stage.start()
    await fill()
    await stage.untilTrue()
    const before = await scanAll(await stage.documents(profiles))
    await requestRebuild(stage.readStore, profiles, { logId, partitions: 3, reason: 'asked', now: 0 })
    await eventually(async () => expect((await pointer())?.live).to.equal(2))
    const documents = await stage.documents(profiles)
    expect(await scanAll(documents)).to.deep.equal(before)
    const page = await documents.search('er1', { limit: 100, after: null })
    expect(page.documents).to.have.length(11)
  })

  it('keeps the generation before, feeds it for a while, and drops older ones', async () => {
    await stage.start()
    for (const live of [2, 3]) {
      await requestRebuild(stage.readStore, profiles, { logId, partitions: 1, reason: 'asked', now: 0 })
      await eventually(async () => expect((await pointer())?.live).to.equal(live))
    }
    await eventually(async () => expect(await numbers()).to.deep.equal([2, 3]))
    await fill(3)
    await stage.untilTrue()
    await eventually(async () => expect((await pointer())?.previous).to.deep.equal({ number: 2, fed: false }))
    await eventually(async () =>
      expect((await stage.readStore.leases('profiles.2')).map(({ owner }) => owner)).to.deep.equal([null]),
    )
  })

  it('can be rolled back, caught up first and pinned', async () => {
    await stage.start()
    await fill(5)
    await requestRebuild(stage.readStore, profiles, { logId, partitions: 2, reason: 'asked', now: 0 })
    await eventually(async () => expect((await pointer())?.previous).to.deep.equal({ number: 1, fed: false }))
    await stage.append(6, registered(6, 'late'))
    expect(await requestRollback(stage.readStore, 'profiles')).to.equal(1)
    await eventually(async () => expect((await pointer())?.live).to.equal(1))
    expect(await pointer()).to.deep.include({ live: 1, pinned: true, next: null })
    expect((await pointer())?.previous?.number).to.equal(2)
    await stage.untilTrue()
    await stage.start({ projections: [louder], timing: { startMs: 50 } })
    expect(await pointer()).to.deep.include({ live: 1, next: null })
  })

  it('can be stopped, and what it made is dropped', async () => {
    const worker = await stage.start()
    await fill(2)
    await worker.stop()
    expect(await requestStop(stage.readStore, 'profiles')).to.equal(false)
    await requestRebuild(stage.readStore, profiles, { logId, partitions: 2, reason: 'asked', now: 0 })
    expect(await requestStop(stage.readStore, 'profiles')).to.equal(true)
    await stage.start()
    await eventually(async () => expect(await numbers()).to.deep.equal([1]))
    expect(await pointer()).to.deep.include({ live: 1, next: null, lastNumber: 2 })
  })

  it('has nothing to roll back to at first', async () => {
    await stage.start()
    expect(await requestRollback(stage.readStore, 'profiles')).to.equal(null)
  })

  it('goes on where another process was stopped', async () => {
    await fill(3)
    const first = await stage.start({ timing: { startMs: 0 } })
    await first.stop()
    await stage.start()
    await eventually(async () => expect((await pointer())?.live).to.equal(1))
    await stage.untilTrue()
    expect(await numbers()).to.deep.equal([1])
  })

  it('is begun for a generation that was announced but not made', async () => {
    await stage.readStore.movePointer({
      projection: 'profiles',
      epoch: 0,
      lastNumber: 4,
      live: null,
      next: { number: 4, phase: 'building', pin: false },
      previous: null,
      pinned: false,
    })
    await fill(2)
    await stage.start()
    await eventually(async () => expect((await pointer())?.live).to.equal(4))
    await stage.untilTrue()
  })

  it('is shown with its progress', async () => {
    await fill(4)
    await stage.start()
    const stores = { eventStore: stage.eventStore, readStore: stage.readStore, positionsCountEvents: true }
    const status = await projectionStatus(profiles, stores, Date.now())
    expect(status.generations).to.have.length(1)
    expect(status.generations[0]).to.deep.include({
      use: 'live',
      lagSeconds: 0,
      lagEvents: 0,
      isComplete: true,
    })
    expect(status.generations[0]?.holders).to.have.length(4)
    expect(status.generations[0]?.progress).to.equal(1)
  })

  it('tells of a lag that is a number, although what waits does not say when it happened', async () => {
    await fill(1)
    await (await stage.start()).stop()
    for (const time of ['', 'once']) {
      const event = edited({ bio: 'later' })
      await stage.append(2, { ...event, metadata: { ...event.metadata, time } })
      const stores = { eventStore: stage.eventStore, readStore: stage.readStore, positionsCountEvents: true }
      const status = await projectionStatus(profiles, stores, Date.now())
      expect(status.generations[0]).to.deep.include({ lagSeconds: 0, lagEvents: time === '' ? 1 : 2 })
    }
  })

  describe('after the log was replaced', () => {
    it('by another one: begins anew, and shows nothing of the old one meanwhile', async () => {
      const first = await stage.start()
      await fill(3)
      await stage.untilTrue()
      await first.stop()
      const second = await stage.start({ logId: 'log-b', projections: [profiles] })
      const live = (await stage.readStore.generations('profiles')).find(({ number }) => number === 2)
      expect(live?.reason).to.include('log-a').and.to.include('log-b')
      expect(await pointer()).to.deep.include({ live: 2, previous: null })
      await second.stop()
    })

    it('by an older copy of itself: begins anew, and misses no event', async () => {
      const first = await stage.start()
      await fill(3)
      await stage.untilTrue()
      await first.stop()
      const older = await openStage()
      try {
        for (let id = 1; id <= 2; id++) await older.append(id, registered(id, `user${id}`))
        const worker = await older.start({ readStore: stage.readStore })
        await eventually(async () => expect((await pointer())?.live).to.equal(2))
        const [, rebuilt] = await stage.readStore.generations('profiles')
        expect(rebuilt?.reason).to.include('beyond the log')
        expect(await scanAll(await stage.documents(profiles))).to.deep.equal(
          await foldOfLog(older.eventStore, profiles),
        )
        await worker.stop()
      } finally {
        await older.close()
      }
    })

    it('by an older copy that has grown again: begins anew', async () => {
      const first = await stage.start()
      await fill(2)
      await stage.untilTrue()
      await first.stop()
      const older = await openStage()
      try {
        for (let id = 1; id <= 9; id++)
          await older.append(id, registered(id, `other${id}`), edited({ bio: 'x' }))
        const worker = await older.start({ readStore: stage.readStore })
        await eventually(async () => expect((await pointer())?.live).to.equal(2))
        expect(await scanAll(await stage.documents(profiles))).to.deep.equal(
          await foldOfLog(older.eventStore, profiles),
        )
        await worker.stop()
      } finally {
        await older.close()
      }
    })

    it('by an older copy that has grown by what only its checkpoints passed: misses no event', async () => {
      const others = (count: number) => Array.from({ length: count }, () => edited({}))
      const first = await stage.start()
      await fill(2)
      const copied: RecordedEvent[] = []
      for await (const { events } of stage.eventStore.readAll()) copied.push(...events)
      await stage.eventStore.append('elsewhere-1', others(9), noStream)
      const head = await stage.eventStore.head()
      await eventually(async () => {
        const leases = await stage.readStore.leases('profiles.1')
        expect(leases.map(({ checkpoint }) => checkpoint)).to.deep.equal([head, head, head, head])
      })
      await first.stop()
      const older = await openStage()
      try {
        for (const event of copied) {
          await older.eventStore.append(event.stream, [event], event.revision - 1n)
        }
        await older.append(3, registered(3, 'after_the_copy'))
        await older.eventStore.append('elsewhere-1', others(20), noStream)
        const worker = await older.start({ readStore: stage.readStore })
        await eventually(async () => expect((await pointer())?.live).to.equal(2))
        const [, rebuilt] = await stage.readStore.generations('profiles')
        expect(rebuilt?.reason).to.include('revision 0 of user-3').and.to.include('was not applied')
        expect(await scanAll(await stage.documents(profiles))).to.deep.equal(
          await foldOfLog(older.eventStore, profiles),
        )
        await worker.stop()
      } finally {
        await older.close()
      }
    })

    it('that is: not for what has not changed', async () => {
      const first = await stage.start()
      await fill(2)
      await stage.untilTrue()
      await stage.eventStore.append('elsewhere-1', [edited({})], noStream)
      await first.stop()
      await stage.append(1, edited({ bio: 'later' }))
      await stage.start()
      await stage.untilTrue()
      expect(await numbers()).to.deep.equal([1])
    })
  })

  describe('to a newer version, as readers see it', () => {
    const modest: Projection<Profile> = { ...profiles, version: profiles.version - 1 }

    it('reads documents of the version before until the newer ones are there', async () => {
      const old = await stage.start({ projections: [modest] })
      await fill(2)
      const queries = createProfileQueries(stage.readStore, { refreshMs: quick.noticedMs / 2 })
      await eventually(async () => expect((await queries.byId(2))?.profile).to.deep.include({ bio: 'b2' }))
      await old.stop()
      await stage.start()
      await eventually(async () => expect((await pointer())?.live).to.equal(2))
      expect((await queries.byId(2))?.profile).to.deep.include({ bio: 'b2' })
    })
  })
})
