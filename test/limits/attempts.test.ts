import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { createAttempts } from '../../src/limits/attempts.ts'
import { createLimiter, type Limiter, type Place, Throttled } from '../../src/limits/limiter.ts'
import { parseRules } from '../../src/limits/rules.ts'

class Wrong extends Error {}

const deadline = Number.POSITIVE_INFINITY
const account: Place = { limit: 'logins-per-account', whose: 'somebody' }
const address: Place = { limit: 'logins-per-address', whose: '192.0.2.1/32' }

/** Attempts with a limit of three for an account, and five for an address. */
function threeAndFive(at: (limiter: Limiter) => Limiter = limiter => limiter) {
  const rules = parseRules('logins-per-account=3/60,logins-per-address=5/60')
  const attempts = createAttempts(at(createLimiter({ rules, shared: null, key: Buffer.alloc(32) })))
  const left: (number | null)[] = []
  const make = (places: readonly Place[], attempt: () => Promise<string>) =>
    attempts
      .make(places, attempt, {
        counts: error => error instanceof Wrong,
        failed: standing => left.push(standing && standing.rule.points - standing.used),
        deadline,
      })
      .catch((error: unknown) => error)
  const fail = (...places: Place[]) => make(places, () => Promise.reject(new Wrong()))
  return { make, fail, left }
}

/** As counts on another machine are: what is heard of them may be over. */
const farAway = (limiter: Limiter): Limiter => ({
  ...limiter,
  async left(place) {
    const left = await limiter.left(place)
    await pause(Math.random() * 4)
    return left
  },
})

describe('Attempts', () => {
  it('may fail so often, and no more are made after that', async () => {
    const { fail, make } = threeAndFive()
    for (let count = 0; count < 3; count++) expect(await fail(account)).to.be.an.instanceOf(Wrong)
    let made = 0
    const refused = await make([account], async () => `made ${++made}`)
    expect(refused).to.be.an.instanceOf(Throttled).and.to.include({ limit: 'logins-per-account' })
    expect(made).to.equal(0)
  })

  it('count in all places, and tell of the one that has the least left', async () => {
    const { fail, left } = threeAndFive()
    await fail(account, address)
    await fail(address)
    expect(left).to.deep.equal([2, 3])
    await fail(account, address)
    expect(left).to.deep.equal([2, 3, 1])
  })

  it('do not count if they succeed, or fail otherwise', async () => {
    const { fail, make } = threeAndFive()
    for (let count = 0; count < 10; count++) {
      expect(await make([account], async () => 'in')).to.equal('in')
      expect(await make([account], () => Promise.reject(new Error('down')))).to.be.an('error')
    }
    expect(await fail(account)).to.be.an.instanceOf(Wrong)
  })

  it('made at once fail no more often than one after the other', async () => {
    const { fail } = threeAndFive()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => fail(account)))
    expect(outcomes.filter(outcome => outcome instanceof Wrong)).to.have.lengthOf(3)
    expect(outcomes.filter(outcome => outcome instanceof Throttled)).to.have.lengthOf(17)
  })

  it('made at once fail no more often where the counts are far away', async () => {
    for (let round = 0; round < 10; round++) {
      const { fail } = threeAndFive(farAway)
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => fail(account)))
      expect(outcomes.filter(outcome => outcome instanceof Wrong)).to.have.lengthOf(3)
    }
  })

  it('that succeed at once all do', async () => {
    const { make } = threeAndFive()
    let underWay = 0
    let most = 0
    const slow = async () => {
      most = Math.max(most, ++underWay)
      await new Promise(resolve => setTimeout(resolve, 1))
      underWay -= 1
      return 'in'
    }
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => make([account], slow)))
    expect(new Set(outcomes)).to.deep.equal(new Set(['in']))
    expect(most).to.equal(3)
  })

  it('that are refused in one place take no turn in another', async () => {
    const { fail, make } = threeAndFive()
    for (let count = 0; count < 3; count++) await fail(account)
    for (let count = 0; count < 10; count++) {
      expect(await fail(address, account)).to.be.an.instanceOf(Throttled)
    }
    expect(await make([address], async () => 'in')).to.equal('in')
  })
})
