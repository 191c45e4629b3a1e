import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { eraseByOperator } from '../../src/account/account.ts'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { createClaims } from '../../src/account/claims.ts'
import { DomainError } from '../../src/account/domain-error.ts'
import type { AccountEvent } from '../../src/account/events.ts'
import { createHandler } from '../../src/account/handle.ts'
import { claimAndRegister } from '../../src/account/register-user.ts'
import { createUserIds } from '../../src/account/user-ids.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { stepwise } from '../support/stepwise.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const namesKey = Buffer.alloc(32, 7)
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

/** Erases a user, as a process of its own. */
async function erase(store: EventStore, userId: number): Promise<void> {
  const handler = createHandler({ store, now, cachedStreams: 100 })
  const intent = { ...context, key: 'erase', actor: 'operator' as const }
  await handler.handle(accounts, accountStream(userId), intent, (account, _revision, at) =>
    eraseByOperator(account, at),
  )
}

type Names = { username: string; email: string }

/** One process of its own, with nothing in its memory. */
function process(
  store: EventStore,
  time?: { monotonicNow(): number; pause(milliseconds: number): Promise<void> },
  clock = now,
) {
  const handler = createHandler({ store, now: clock, cachedStreams: 100 })
  const claims = createClaims({ store, handler, namesKey, now: clock, ...(time ? { time } : {}) })
  const nextUserId = createUserIds({ store, handler, blockSize: 2 })
  return {
    register: (names: Names) =>
      claimAndRegister(
        { claims, handler, nextUserId, now: clock },
        { ...names, ...noProfile, passwordHash: '$argon2id$' },
        context,
      ),
  }
}

async function registeredNames(store: EventStore): Promise<Names[]> {
  const names: Names[] = []
  for await (const { events } of store.readAll({ filter: { prefixes: ['user-'] } })) {
    for (const { type, data } of events) {
      const event: { type: string; data: unknown } = { type, data }
      if (event.type === 'UserRegistered')
        names.push(event.data as (AccountEvent & { type: 'UserRegistered' })['data'])
    }
  }
  return names
}

const takenFields = (error: unknown) =>
  error instanceof DomainError ? error.problems.map(problem => problem.field) : [String(error)]

describe('The rule for names', () => {
  it('gives a name one owner and blocks none, whichever attempts stop after whichever step, in any order', async () => {
    const attempt = fc.record({
      username: fc.constantFrom('ege', 'EGE', 'lewis'),
      email: fc.constantFrom('', 'a@example.org', 'A@example.org', 'b@example.org'),
      diesAfter: fc.option(fc.integer({ min: 0, max: 14 })),
    })
    const steps = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 20, max: 60 }))
    const turn = fc.record({ owner: fc.nat(3), steps })
    await fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 2, maxLength: 4 }),
        // Whose turn it is for how many steps: long turns, so that others can overtake whoever stands still.
        fc.array(turn, {
          minLength: 1,
          maxLength: 12,
        }),
        async (attempts, turns) =>
          withTemporaryFolder(async folder => {
            const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
            try {
              const world = stepwise(store)
              const schedule = turns.flatMap(({ owner, steps }) =>
                Array<number>(steps).fill(owner % attempts.length),
              )
              const choose = (owners: readonly number[]) => Math.max(0, owners.indexOf(schedule.shift() ?? 0))
              const slowly = (owner: number) => {
                const time = world.timeOf(owner)
                return { ...time, pause: (_ms: number) => time.pause(700) }
              }
              const results = await world.run(
                attempts.map(
                  (names, owner) => () => process(world.storeOf(owner), slowly(owner)).register(names),
                ),
                choose,
                attempts.map(({ diesAfter }) => diesAfter),
              )
              const owned = await registeredNames(store)
              const usernames = owned.map(({ username }) => username.toLowerCase())
              const emails = owned.map(({ email }) => email.toLowerCase()).filter(email => email !== '')
              expect(new Set(usernames).size, 'one owner of a username').to.equal(usernames.length)
              expect(new Set(emails).size, 'one owner of an address').to.equal(emails.length)
              for (const [owner, result] of results.entries()) {
                if (result === 'died') continue
                const { username = '', email = '' } = attempts[owner] ?? {}
                if (result.status === 'fulfilled') {
                  expect(owned.some(names => names.username === username && names.email === email)).to.equal(
                    true,
                  )
                } else {
                  const taken = takenFields(result.reason)[0]
                  const other = taken === 'username' ? usernames.includes(username.toLowerCase()) : null
                  expect(other ?? emails.includes(email.toLowerCase()), `${taken} is somebody's`).to.equal(
                    true,
                  )
                }
              }

              const after = stepwise(store)
              for (const name of ['ege', 'lewis']) {
                const patient = { ...after.timeOf(0), pause: (_ms: number) => after.timeOf(0).pause(500) }
                const late = process(after.storeOf(0), patient)
                const [late1] = await after.run(
                  [() => late.register({ username: name, email: '' })],
                  () => 0,
                  [null],
                )
                const taken = usernames.includes(name)
                expect(late1).to.have.property('status', taken ? 'rejected' : 'fulfilled')
              }
            } finally {
              await store.close()
            }
          }),
      ),
      { numRuns: 90 },
    )
  })

  it('keeps the username of an erased user from everybody for 30 days, and then gives it one owner', async () => {
    const attempts = fc.array(fc.constantFrom('ege', 'EGE'), { minLength: 1, maxLength: 3 })
    const order = fc.array(fc.nat(3), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(attempts, order, fc.integer({ min: 0, max: 14 }), (names, turns, diesAfter) =>
        withTemporaryFolder(async folder => {
          const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
          try {
            const { account } = await process(store).register({ username: 'ege', email: 'a@example.org' })
            const erasure = (owner: EventStore) => () => erase(owner, account.userId)
            /** All at once in the order chosen, with or without the erasure, the first of them cut off. */
            const together = (at: number, others: ((owner: EventStore) => () => Promise<unknown>)[]) => {
              const world = stepwise(store)
              const schedule = [...turns]
              const choose = (owners: readonly number[]) =>
                Math.max(0, owners.indexOf((schedule.shift() ?? 0) % (names.length + others.length)))
              const registrations = names.map((username, owner) => () => {
                const time = world.timeOf(owner)
                const slowly = { ...time, pause: (_ms: number) => time.pause(700) }
                return process(world.storeOf(owner), slowly, () => at).register({ username, email: '' })
              })
              const rest = others.map((other, index) => other(world.storeOf(names.length + index)))
              const dying = registrations.map((_, index) => (index === 0 ? diesAfter : null))
              return world.run<unknown>([...registrations, ...rest], choose, [
                ...dying,
                ...rest.map(() => null),
              ])
            }

            const during = (await together(now(), [erasure])).slice(0, names.length)
            for (const result of during) {
              if (result !== 'died') expect(result).to.have.property('status', 'rejected')
            }
            const before = now() + 30 * 86_400_000 - 1
            for (const result of await together(before, [])) {
              if (result !== 'died') expect(result).to.have.property('status', 'rejected')
            }
            const after = await together(before + 1, [])
            const won = after.filter(result => result !== 'died' && result.status === 'fulfilled')
            const late = await process(store, undefined, () => before + 1)
              .register({ username: 'Ege', email: '' })
              .then(
                () => 1,
                error => {
                  expect(takenFields(error)).to.deep.equal(['username'])
                  return 0
                },
              )
            // One who registered and died before hearing of it has the name as well.
            const owners = (await registeredNames(store)).length - 1
            expect(owners).to.equal(1)
            expect(won.length + late).to.be.at.most(1)
          } finally {
            await store.close()
          }
        }),
      ),
      { numRuns: 40 },
    )
  })

  it('frees the username when the address turns out to be taken', async () => {
    await withTemporaryFolder(async folder => {
      const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
      try {
        await process(store).register({ username: 'ege', email: 'a@example.org' })
        const refused = await process(store)
          .register({ username: 'lewis', email: 'A@EXAMPLE.org' })
          .catch(takenFields)
        expect(refused).to.deep.equal(['email'])
        const { account } = await process(store).register({ username: 'lewis', email: 'b@example.org' })
        expect(account).to.deep.include({ username: 'lewis', email: 'b@example.org' })
      } finally {
        await store.close()
      }
    })
  })
})
