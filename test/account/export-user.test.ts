import { expect } from 'chai'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { process, processNow, tokens } from '../support/account-process.ts'
import { withOwnLog } from '../support/sample-log.ts'

const context = { requestId: 'test', deadline: Number.POSITIVE_INFINITY }
const password = 'correct horse 42'
const ege = {
  ...{ username: 'ege', email: 'ege@example.org', password, firstName: '', lastName: '', bio: '' },
  ...{ favSport1: '', favSport2: '', favSport3: '', location: '', avatar: '' },
}

/** The store, and the most reads of it that were under way at a time. */
function observed(store: EventStore): { store: EventStore; most(): number } {
  let underWay = 0
  let most = 0
  const readStream: EventStore['readStream'] = async (...asked) => {
    underWay += 1
    most = Math.max(most, underWay)
    // All that are asked for in one turn are under way together, however fast the store is.
    await new Promise(resolve => setImmediate(resolve))
    try {
      return await store.readStream(...asked)
    } finally {
      underWay -= 1
    }
  }
  return { store: Object.assign(Object.create(store), { readStream }), most: () => most }
}

describe('An export', () => {
  it('has each of many sessions, and reads a few of them at a time', () =>
    withOwnLog(async store => {
      const { registerUser, obtainTokens } = process(store)
      await registerUser(ege, context)
      const ids: string[] = []
      for (let login = 0; login < 100; login++) {
        const begun = await obtainTokens({ username: 'ege', password, device: '', addressRange: '' }, context)
        ids.push(tokens.readAccess(begun.access, processNow).sessionId)
      }
      const [sessionId = ''] = ids
      const seen = observed(store)
      const claims = { userId: 1, username: 'ege', sessionId }
      const { sessions } = await process(seen.store).exportUser(claims, ids, context)
      expect(sessions.map(({ id }) => id)).to.deep.equal(ids)
      expect(seen.most()).to.be.within(2, 16)
    }))
})
