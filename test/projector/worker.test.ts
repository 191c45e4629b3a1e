import { expect } from 'chai'
import { profiles } from '../../projections/profiles.ts'
import { edited, openStage, registered, type Stage } from './stage.ts'

describe('a worker', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await openStage()
  })
  afterEach(() => stage.close())

  it('has the first generation of an empty log live when it has started', async () => {
    await stage.start()
    const pointer = await stage.readStore.pointer('profiles')
    expect(pointer).to.deep.include({ live: 1, next: null, previous: null, pinned: false })
  })

  it('shows what was in the log before it, and what comes after', async () => {
    for (let id = 1; id <= 30; id++) await stage.append(id, registered(id, `user${id}`))
    await stage.start()
    await stage.append(7, edited({ bio: 'later' }))
    await stage.append(31, registered(31, 'last'), edited({ location: 'here' }))
    await stage.untilTrue()
    const documents = await stage.documents(profiles)
    expect(await documents.get('7')).to.deep.include({ username: 'user7', bio: 'later' })
    const found = await documents.search('ser', { limit: 100, after: null })
    expect(found.documents).to.have.length(30)
  })

  it('gathers the events of a read model that nobody waits for, and holds up no other', async () => {
    const unhurried = { ...profiles, name: 'unhurried', restMs: 300 }
    const batches: Record<string, number[]> = { profiles: [], unhurried: [] }
    await stage.start({
      projections: [profiles, unhurried],
      batch: (follower, events) => batches[follower.split('.')[0] ?? '']?.push(events),
    })
    for (let id = 1; id <= 20; id++) {
      await stage.append(id, registered(id, `user${id}`))
      await stage.untilTrue(profiles)
    }
    await stage.untilTrue(unhurried)
    expect(batches.profiles).to.deep.equal(new Array(20).fill(1))
    expect(batches.unhurried).to.have.length.below(20)
  })
})
