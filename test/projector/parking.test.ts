import { expect } from 'chai'
import { type Profile, profiles } from '../../projections/profiles.ts'
import type { Projection } from '../../src/projector/projection.ts'
import { eventually } from '../support/eventually.ts'
import { edited, openStage, registered, type Stage, unreadable } from './stage.ts'

describe('an event that cannot be applied', () => {
  let stage: Stage
  /** Refuses edits that say so, until it is mended. */
  let mended: boolean
  const touchy: Projection<Profile> = {
    ...profiles,
    evolve(profile, event) {
      if (!mended && event.type === 'ProfileEdited' && event.data.bio === 'bad') throw new Error('bad bio')
      return profiles.evolve(profile, event)
    },
  }

  beforeEach(async () => {
    mended = false
    stage = await openStage()
  })
  afterEach(() => stage.close())

  const parked = () => stage.readStore.parked('profiles.1')
  const profile = async (id: number) => (await stage.documents(profiles)).get(String(id))

  it('parks its stream, and holds up no other', async () => {
    await stage.start({ projections: [touchy] })
    await stage.append(1, registered(1, 'ada'), edited({ location: 'A' }), edited({ bio: 'bad' }))
    await stage.append(1, edited({ location: 'B' }))
    await stage.append(2, registered(2, 'bob'))
    await eventually(async () => expect(await profile(2)).to.not.equal(null))
    await eventually(async () => expect(await parked()).to.have.length(1))
    const [found] = await parked()
    expect(found).to.deep.include({
      stream: 'user-1',
      revision: 2n,
      key: '1',
      error: 'bad bio',
      retry: false,
    })
    expect(await profile(1)).to.deep.include({ location: 'A', bio: '' })
  })

  it('is tried again when asked for, and with it what came later', async () => {
    await stage.start({ projections: [touchy] })
    await stage.append(1, registered(1, 'ada'), edited({ bio: 'bad' }), edited({ location: 'B' }))
    await eventually(async () => expect(await parked()).to.have.length(1))
    await stage.readStore.requestRetry('profiles.1', 'user-1')
    await eventually(async () => expect((await parked()).map(({ retry }) => retry)).to.deep.equal([false]))
    mended = true
    await stage.readStore.requestRetry('profiles.1', 'user-1')
    await eventually(async () => expect(await parked()).to.deep.equal([]))
    expect(await profile(1)).to.deep.include({ bio: 'bad', location: 'B' })
    await stage.append(1, edited({ location: 'C' }))
    await stage.untilTrue()
  })

  it('stays parked for the next worker', async () => {
    const first = await stage.start({ projections: [touchy] })
    await stage.append(1, registered(1, 'ada'), edited({ bio: 'bad' }))
    await eventually(async () => expect(await parked()).to.have.length(1))
    await first.stop()
    await stage.append(1, edited({ location: 'B' }))
    await stage.append(2, registered(2, 'bob'))
    await stage.start({ projections: [touchy] })
    await eventually(async () => expect(await profile(2)).to.not.equal(null))
    expect(await profile(1)).to.deep.include({ bio: '', location: '' })
    mended = true
    await stage.readStore.requestRetry('profiles.1', 'user-1')
    await stage.untilTrue()
  })

  it('is caught up with when another process has unparked its stream', async () => {
    await stage.start({ projections: [touchy] })
    await stage.append(1, registered(1, 'ada'), edited({ bio: 'bad' }), edited({ location: 'B' }))
    await eventually(async () => expect(await parked()).to.have.length(1))
    mended = true
    await stage.readStore.unpark('profiles.1', 'user-1')
    await stage.untilTrue()
  })

  it('is parked too when it cannot even be read', async () => {
    await stage.start()
    await stage.append(1, registered(1, 'ada'), unreadable(), edited({ location: 'B' }))
    await eventually(async () => expect(await parked()).to.have.length(1))
    const [found] = await parked()
    expect(found).to.deep.include({ stream: 'user-1', revision: 1n, key: null })
    expect(found?.error).to.include('NobodyKnowsThis')
    expect(await profile(1)).to.deep.include({ location: '' })
  })

  it('does not keep a rebuild from going live', async () => {
    await stage.append(1, registered(1, 'ada'), edited({ bio: 'bad' }))
    await stage.append(2, registered(2, 'bob'))
    await stage.start({ projections: [touchy] })
    expect(await profile(2)).to.deep.include({ username: 'bob' })
    expect(await parked()).to.have.length(1)
  })
})
