import { expect } from 'chai'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { createLimiter, Throttled } from '../../src/limits/limiter.ts'
import { createPartlyShared } from '../../src/limits/partly-shared.ts'
import { parseRules } from '../../src/limits/rules.ts'
import { eventually } from '../support/eventually.ts'

const key = Buffer.alloc(32)

describe('The limiter', () => {
  const limiter = () =>
    createLimiter({ rules: parseRules('edits-per-account=2/60,searches-per-address=off'), shared: null, key })

  it('counts each by itself, and says how it stands', async () => {
    const { count, left } = limiter()
    const place = { limit: 'edits-per-account', whose: '1' } as const
    expect(await left(place)).to.equal(2)
    expect(await count(place)).to.deep.equal({ rule: { points: 2, seconds: 60 }, used: 1, resetSeconds: 60 })
    expect(await count({ ...place, whose: '2' })).to.have.property('used', 1)
    expect(await count(place)).to.have.property('used', 2)
    for (const refused of [count(place), left(place)]) {
      const error = await refused.catch((thrown: unknown) => thrown)
      expect(error).to.be.an.instanceOf(Throttled)
      expect(error).to.have.property('message', 'edits-per-account: expected at most 2 in 60 s')
    }
  })

  it('starts anew after its time', async () => {
    const { count } = createLimiter({ rules: parseRules('edits-per-account=1/1'), shared: null, key })
    const place = { limit: 'edits-per-account', whose: '1' } as const
    await count(place)
    await eventually(async () => expect(await count(place)).to.have.property('used', 1))
  })

  it('begins anew with what it is told to forget', async () => {
    const { count, forget } = limiter()
    const [one, other] = ['1', '2'].map(whose => ({ limit: 'edits-per-account', whose }) as const)
    if (!one || !other) throw new Error('expected two places')
    for (const place of [one, other]) await count(place)
    await forget(one)
    expect(await count(one)).to.have.property('used', 1)
    expect(await count(other)).to.have.property('used', 2)
    await forget({ limit: 'searches-per-address', whose: 'x' })
  })

  it('lets pass what has no limit', async () => {
    const { count, left } = limiter()
    const place = { limit: 'searches-per-address', whose: 'x' } as const
    expect(await count(place)).to.equal(null)
    expect(await left(place)).to.equal(Number.POSITIVE_INFINITY)
  })
})

describe('A counter that is partly shared', () => {
  const options = { points: 40, duration: 60 }

  it('counts together with others, within a twentieth of the limit for each', async () => {
    const shared = new RateLimiterMemory(options)
    const counters = [1, 2].map(() => createPartlyShared(new RateLimiterMemory(options), shared))
    let passed = 0
    for (let count = 0; count < 60; count++) {
      const counter = counters[count % 2]
      await counter?.consume('x').then(
        () => passed++,
        () => {},
      )
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(passed).to.be.within(40, 44)
  })

  it('counts by itself while the others cannot be told', async () => {
    class Down extends RateLimiterMemory {
      override penalty(): Promise<never> {
        return Promise.reject(new Error('down'))
      }
    }
    const counter = createPartlyShared(new RateLimiterMemory(options), new Down(options))
    for (let count = 0; count < 40; count++) await counter.consume('x')
    const refused = await counter.consume('x').catch((error: unknown) => error)
    expect(refused).to.have.property('consumedPoints', 41)
  })
})
