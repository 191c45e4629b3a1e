import { expect } from 'chai'
import { createKnownAddresses, placeDigest } from '../../src/limits/known-addresses.ts'

const day = 86_400_000
const digest = (text: string) => `digest of ${text}`
const place = (username: string, host: number) => {
  const network = `192.0.2.${host}`
  return { username, network, range: '192.0.2.0/24' }
}

function createKnown() {
  const clock = { now: 0 }
  const known = createKnownAddresses({ rangesSince: async () => new Set(), digest, now: () => clock.now })
  return { known, clock }
}

describe('Known addresses', () => {
  it('are those where an owner was within thirty days', async () => {
    const { known, clock } = createKnown()
    known.remember(place('ada', 1))
    clock.now = 20 * day
    known.remember(place('ada', 2))
    expect(await known.knows(place('ada', 1))).to.equal(true)
    expect(await known.knows(place('eve', 1))).to.equal(false)
    clock.now = 31 * day
    expect(await known.knows(place('ada', 1))).to.equal(false)
    expect(await known.knows(place('ada', 2))).to.equal(true)
  })

  it('are the latest eight of each owner', async () => {
    const { known } = createKnown()
    for (const host of [1, 2, 3, 4, 5, 6, 7, 8, 1, 9]) known.remember(place('ada', host))
    expect(await known.knows(place('ada', 2))).to.equal(false)
    for (const host of [1, 3, 9]) expect(await known.knows(place('ada', host))).to.equal(true)
  })

  it('are forgotten with their owner, and told by what logins there are counted', async () => {
    const { known } = createKnown()
    for (const host of [1, 2]) known.remember(place('ada', host))
    known.remember(place('eve', 1))
    const forgotten = [1, 2].map(host => placeDigest(digest, place('ada', host)))
    expect(known.forget('ada')).to.deep.equal(forgotten)
    expect(known.forget('ada')).to.deep.equal([])
    expect(await known.knows(place('ada', 1))).to.equal(false)
    expect(await known.knows(place('eve', 1))).to.equal(true)
  })
})
