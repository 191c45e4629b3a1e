import { expect } from 'chai'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { createClaims } from '../../src/account/claims.ts'
import { createHandler } from '../../src/account/handle.ts'
import { claimAndRegister } from '../../src/account/register-user.ts'
import { createUserIds } from '../../src/account/user-ids.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { madeUpUser } from '../../src/tools/made-up-users.ts'
import { type SeededUser, seedUsers } from '../../src/tools/seed.ts'
import { withOwnLog } from '../support/sample-log.ts'

const namesKey = Buffer.alloc(32, 7)
const passwordHash = 'a hash'
const now = () => Date.UTC(2026, 0, 1)
const patience = Number.POSITIVE_INFINITY

async function seed(store: EventStore, options: { users: number; startAt?: number; signal?: AbortSignal }) {
  const seeded: SeededUser[] = []
  const next = await seedUsers(store, {
    ...options,
    namesKey,
    passwordHash,
    now,
    onUser: user => seeded.push(user),
  })
  return { next, seeded }
}

describe('seeding users', () => {
  it('gives each an account that holds its names, as a registration does', () =>
    withOwnLog(async store => {
      const { seeded } = await seed(store, { users: 40 })
      const handler = createHandler({ store, now })
      const claims = createClaims({ store, handler, namesKey, now })
      expect(new Set(seeded.map(user => user.userId))).to.have.lengthOf(40)
      for (const { userId, username, email } of seeded) {
        const { state } = await handler.load(accounts, accountStream(userId), patience)
        expect(state).to.deep.include({ status: 'active', userId, username, email, passwordHash })
        expect((await claims.holder('username', username, patience))?.account.userId).to.equal(userId)
        if (email !== '') {
          expect((await claims.holder('email', email, patience))?.account.userId).to.equal(userId)
        }
      }
    }))

  it('leaves their ids to nobody else', () =>
    withOwnLog(async store => {
      const { seeded } = await seed(store, { users: 5 })
      const nextUserId = createUserIds({ store, handler: createHandler({ store, now }), blockSize: 20 })
      const intent = { key: 'test', actor: 'system' as const, requestId: 'test', deadline: patience }
      expect(await nextUserId(intent)).to.be.above(Math.max(...seeded.map(user => user.userId)))
    }))

  it('goes on where it left off', () =>
    withOwnLog(async store => {
      const first = await seed(store, { users: 10 })
      expect(first.next).to.equal(10)
      const second = await seed(store, { users: 10, startAt: first.next })
      const expected = Array.from({ length: 20 }, (_, index) => madeUpUser(1, index).username)
      const usernames = [...first.seeded, ...second.seeded].map(user => user.username)
      expect(usernames).to.have.members(expected)
    }))

  it('passes over names that somebody has already', () =>
    withOwnLog(async store => {
      const handler = createHandler({ store, now })
      const claims = createClaims({ store, handler, namesKey, now })
      const nextUserId = createUserIds({ store, handler, blockSize: 20 })
      const [usernameOfTwo, addressOfFour] = [madeUpUser(1, 2).username, madeUpUser(1, 4).email]
      const taken = {
        ...madeUpUser(1, 0),
        username: usernameOfTwo.toUpperCase(),
        email: addressOfFour,
        passwordHash,
      }
      const context = { requestId: 'test', deadline: patience }
      const { account } = await claimAndRegister({ claims, handler, nextUserId, now }, taken, context)

      const { seeded, next } = await seed(store, { users: 10 })
      expect(seeded).to.have.lengthOf(10)
      expect(next).to.equal(12)
      expect(seeded.map(user => user.username)).not.to.include(usernameOfTwo)
      expect(seeded.map(user => user.email)).not.to.include(addressOfFour)
      expect((await claims.holder('username', usernameOfTwo, patience))?.account.userId).to.equal(
        account.userId,
      )
    }))

  it('stops when told to, and says where to go on', () =>
    withOwnLog(async store => {
      const { next, seeded } = await seed(store, { users: 10, signal: AbortSignal.abort() })
      expect({ next, seeded }).to.deep.equal({ next: 0, seeded: [] })
    }))
})
