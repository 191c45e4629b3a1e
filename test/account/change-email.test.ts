import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { editProfile, isRegistered } from '../../src/account/account.ts'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { confirmEmailChange } from '../../src/account/change-email.ts'
import { createClaims } from '../../src/account/claims.ts'
import { DomainError } from '../../src/account/domain-error.ts'
import { createHandler } from '../../src/account/handle.ts'
import { claimAndRegister } from '../../src/account/register-user.ts'
import { createTokens } from '../../src/account/tokens.ts'
import { createUserIds } from '../../src/account/user-ids.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { stepwise } from '../support/stepwise.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const wanted = 'x@example.org'
const noProfile = {
  firstName: '',
  lastName: '',
  bio: '',
  favSport1: '',
  favSport2: '',
  favSport3: '',
  location: '',
  avatar: '',
}
const context = { requestId: 'test', deadline: Number.POSITIVE_INFINITY }
const now = () => Date.UTC(2026, 0, 1)
const expiresAt = new Date(now() + 86_400_000).toISOString()
const tokens = createTokens({ secret: Buffer.alloc(32, 1) })

/** One process of its own, with nothing in its memory. */
function process(store: EventStore, time?: Parameters<typeof createClaims>[0]['time']) {
  const handler = createHandler({ store, now, cachedStreams: 100 })
  const namesKey = Buffer.alloc(32, 7)
  const claims = createClaims({ store, handler, namesKey, now, ...(time ? { time } : {}) })
  const nextUserId = createUserIds({ store, handler, blockSize: 1 })
  const waitUntilVisible = async () => true
  let intents = 0
  const intent = () => ({ key: `${intents++}`, actor: 1, ...context })
  return {
    register: (username: string, email: string) =>
      claimAndRegister(
        { claims, handler, nextUserId, now },
        { username, email, ...noProfile, passwordHash: '-' },
        context,
      ),
    ask: (userId: number) =>
      handler.handle(accounts, accountStream(userId), { ...intent(), key: `ask ${userId}` }, () => [
        { type: 'EmailChangeRequested', data: { changeId: `c${userId}`, email: wanted, expiresAt } },
      ]),
    confirm: (userId: number) =>
      confirmEmailChange(
        { claims, handler, tokens, now, waitUntilVisible },
        tokens.emailChanges.make({ userId, id: `c${userId}`, expiresAt }),
        context,
      ),
    edit: (userId: number, bio: string) =>
      handler.handle(accounts, accountStream(userId), { ...intent(), key: `edit ${bio}` }, account =>
        editProfile(account, { bio }),
      ),
    load: async (userId: number) => (await handler.load(accounts, accountStream(userId), Infinity)).state,
  }
}

/** Who has the address, of the users there are. */
async function holders(store: EventStore): Promise<{ userId: number; proved: boolean }[]> {
  const found: { userId: number; proved: boolean }[] = []
  const look = process(store)
  for (let userId = 1; userId <= 12; userId++) {
    const account = await look.load(userId)
    if (!isRegistered(account) || account.email.toLowerCase() !== wanted) continue
    found.push({ userId, proved: account.emailProved })
  }
  return found
}

describe('Confirming an address', () => {
  it('gives it to one who proved it, whichever attempts stop after whichever step, in any order', async () => {
    const attempt = fc.record({
      what: fc.constantFrom('confirm 2', 'confirm 3', 'confirm 2 again', 'register', 'edit 2'),
      diesAfter: fc.option(fc.integer({ min: 0, max: 20 })),
    })
    const turn = fc.record({ owner: fc.nat(3), steps: fc.integer({ min: 1, max: 25 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 2, maxLength: 4 }),
        fc.array(turn, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (attempts, turns, isSquatted) =>
          withTemporaryFolder(async folder => {
            const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
            try {
              const before = process(store)
              await before.register('first', isSquatted ? wanted.toUpperCase() : '')
              for (const userId of [2, 3, 4]) {
                await before.register(`user${userId}`, '')
                await before.ask(userId)
              }
              const world = stepwise(store)
              const schedule = turns.flatMap(({ owner, steps }) =>
                Array<number>(steps).fill(owner % attempts.length),
              )
              const choose = (owners: readonly number[]) => Math.max(0, owners.indexOf(schedule.shift() ?? 0))
              const results = await world.run<unknown>(
                attempts.map(({ what }, owner) => () => {
                  const time = world.timeOf(owner)
                  const slow = { ...time, pause: (_ms: number) => time.pause(700) }
                  const mine = process(world.storeOf(owner), slow)
                  if (what === 'register') return mine.register(`new${owner}`, wanted)
                  if (what === 'edit 2') return mine.edit(2, `bio ${owner}`)
                  return mine.confirm(what === 'confirm 3' ? 3 : 2)
                }),
                choose,
                attempts.map(({ diesAfter }) => diesAfter),
              )

              const held = await holders(store)
              expect(held.length, 'one owner of the address').to.be.at.most(1)
              for (const [owner, result] of results.entries()) {
                if (result === 'died') continue
                const what = attempts[owner]?.what ?? ''
                if (result.status === 'fulfilled') {
                  const userId = /^confirm (\d)/.exec(what)?.[1]
                  if (userId) expect(held).to.deep.equal([{ userId: Number(userId), proved: true }])
                } else {
                  expect(result.reason).to.be.instanceOf(DomainError)
                  if (what.startsWith('confirm')) expect(held[0]).to.have.property('proved', true)
                }
              }

              const after = stepwise(store)
              const time = { ...after.timeOf(0), pause: (_ms: number) => after.timeOf(0).pause(500) }
              const late = process(after.storeOf(0), time)
              const [last] = await after.run<unknown>([() => late.confirm(4)], () => 0, [null])
              expect(last).to.have.property('status', held[0]?.proved ? 'rejected' : 'fulfilled')
              if (!held[0]?.proved) expect(await holders(store)).to.deep.equal([{ userId: 4, proved: true }])
            } finally {
              await store.close()
            }
          }),
      ),
      { numRuns: 60 },
    )
  })
})
