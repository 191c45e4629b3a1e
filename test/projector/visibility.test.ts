import { expect } from 'chai'
import { type Profile, profiles } from '../../projections/profiles.ts'
import { StoreUnavailable } from '../../src/event-store/event-store.ts'
import { createApplied } from '../../src/projector/applied.ts'
import { requestRebuild } from '../../src/projector/generation-requests.ts'
import { createProfileQueries } from '../../src/projector/profile-queries.ts'
import type { Projection } from '../../src/projector/projection.ts'
import { createVisibility } from '../../src/projector/visibility.ts'
import type { ReadStore } from '../../src/read-store/read-store.ts'
import { eventually } from '../support/eventually.ts'
import { edited, logId, openStage, quick, registered, type Stage } from './stage.ts'

const longMs = 10_000

describe('who waits for a write to be visible', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await openStage()
  })
  afterEach(() => stage.close())

  const visibilityOf = (readStore: ReadStore, applied = createApplied()) =>
    createVisibility({ readStore, projection: profiles, logId, applied, refreshMs: quick.noticedMs / 2 })

  it('is told once it is, in the process of the projector', async () => {
    const applied = createApplied()
    await stage.start({ applied })
    const visibility = visibilityOf(stage.readStore, applied)
    const queries = createProfileQueries(stage.readStore)
    for (let round = 0; round < 20; round++) {
      const revision = await stage.append(
        1,
        round === 0 ? registered(1, 'ada') : edited({ bio: `b${round}` }),
      )
      expect(await visibility.waitUntilVisible('1', 'user-1', revision, longMs)).to.equal(true)
      expect((await queries.byId(1))?.profile.bio).to.equal(round === 0 ? '' : `b${round}`)
    }
  })

  it('is told in other processes too, however many wait', async () => {
    await stage.start()
    const other = await stage.connect()
    const visibility = visibilityOf(other)
    const queries = createProfileQueries(other)
    await Promise.all(
      Array.from({ length: 50 }, async (_, id) => {
        const revision = await stage.append(id, registered(id, `user${id}`), edited({ bio: 'x' }))
        expect(await visibility.waitUntilVisible(String(id), `user-${id}`, revision, longMs)).to.equal(true)
        expect((await queries.byUsernameKey(`user${id}`))?.profile).to.deep.include({ id, bio: 'x' })
      }),
    )
  })

  it('sees its own writes whichever generation is read, while one takes the place of another', async () => {
    const applied = createApplied()
    await stage.start({ applied })
    const visibility = visibilityOf(stage.readStore, applied)
    const other = await stage.connect()
    const queries = createProfileQueries(other, { refreshMs: quick.noticedMs / 2 })
    await stage.append(1, registered(1, 'ada'))
    for (let generation = 2; generation <= 4; generation++) {
      await requestRebuild(other, profiles, { logId, partitions: 2, reason: 'asked', now: 0 })
      for (let round = 0; ; round++) {
        const bio = `${generation} ${round}`
        const revision = await stage.append(1, edited({ bio }))
        expect(await visibility.waitUntilVisible('1', 'user-1', revision, longMs)).to.equal(true)
        expect((await queries.byId(1))?.profile.bio).to.equal(bio)
        if ((await other.pointer('profiles'))?.live === generation) break
      }
    }
  })

  it('waits no longer than it wants to', async () => {
    const worker = await stage.start()
    const visibility = visibilityOf(stage.readStore)
    await stage.append(1, registered(1, 'ada'))
    await stage.untilTrue()
    await worker.stop()
    const revision = await stage.append(1, edited({ bio: 'x' }))
    expect(await visibility.waitUntilVisible('1', 'user-1', revision, 30)).to.equal(false)
    expect(await visibility.waitUntilVisible('1', 'user-1', 0n, 5000)).to.equal(true)
  })

  it('is told at once that its stream is parked', async () => {
    const touchy: Projection<Profile> = {
      ...profiles,
      evolve(profile, event) {
        if (event.type === 'ProfileEdited') throw new Error('no edits')
        return profiles.evolve(profile, event)
      },
    }
    const applied = createApplied()
    await stage.start({ projections: [touchy], applied })
    for (const store of [stage.readStore, await stage.connect()]) {
      const visibility = visibilityOf(store, store === stage.readStore ? applied : undefined)
      const revision = await stage.append(
        1,
        ...(store === stage.readStore ? [registered(1, 'ada')] : []),
        edited({ bio: 'x' }),
      )
      expect(await visibility.waitUntilVisible('1', 'user-1', revision, 600_000)).to.equal(false)
    }
  })

  it('is told at once when the read store fails, and does not wait for it again while it is down', async () => {
    await stage.start()
    let asked = 0
    const failing: ReadStore = {
      ...stage.readStore,
      async pointer() {
        asked++
        throw new StoreUnavailable('no read store')
      },
    }
    const visibility = visibilityOf(failing)
    expect(await visibility.waitUntilVisible('1', 'user-1', 0n, 600_000)).to.equal(false)
    for (let round = 0; round < 10; round++) {
      expect(await visibility.waitUntilVisible('1', 'user-1', 0n, 600_000)).to.equal(false)
    }
    expect(asked).to.equal(1)
  })

  it('does not wait for a read store that owes an answer already', async () => {
    const hanging: ReadStore = { ...stage.readStore, pointer: () => new Promise(() => {}) }
    const visibility = visibilityOf(hanging)
    expect(await visibility.waitUntilVisible('1', 'user-1', 0n, 300)).to.equal(false)
    expect(await visibility.waitUntilVisible('1', 'user-1', 0n, 600_000)).to.equal(false)
  })

  it('does not wait for a read store that is known to be down', async () => {
    const down: ReadStore = { ...stage.readStore, isDown: () => true }
    expect(await visibilityOf(down).waitUntilVisible('1', 'user-1', 0n, 600_000)).to.equal(false)
  })

  it('does not wait while nothing is read yet', async () => {
    expect(await visibilityOf(stage.readStore).waitUntilVisible('1', 'user-1', 0n, 600_000)).to.equal(false)
    await stage.append(1, registered(1, 'ada'))
    await stage.start()
    const visibility = visibilityOf(stage.readStore)
    await eventually(async () =>
      expect(await visibility.waitUntilVisible('1', 'user-1', 0n, 1000)).to.equal(true),
    )
  })
})
