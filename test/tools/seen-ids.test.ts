import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { createSeenIds } from '../../src/tools/verifying/seen-ids.ts'

describe('Ids that were seen', () => {
  for (const expected of [0, 1, 5000, 10_000_000]) {
    it(`are never taken for new ones, and new ones hardly ever for them, where ${expected} were expected`, () => {
      const seen = createSeenIds(expected)
      const ids = Array.from({ length: 5000 }, (_, index) => (index % 2 === 0 ? randomUUID() : `id ${index}`))
      const alarms = ids.filter(id => seen.add(id)).length
      // At the fewest bits there are, one in a hundred.
      expect(alarms).to.be.lessThan(200)
      expect(ids.filter(id => !seen.add(id))).to.deep.equal([])
    })
  }
})
