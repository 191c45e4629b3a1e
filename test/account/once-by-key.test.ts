import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import type { AccessClaims } from '../../src/account/accounts.ts'
import { DomainError } from '../../src/account/domain-error.ts'
import { eventId } from '../../src/account/event-ids.ts'
import { type EventStore, type RecordedEvent, StoreUnavailable } from '../../src/event-store/event-store.ts'
import { process, processNow, tokens } from '../support/account-process.ts'
import { withOwnLog } from '../support/sample-log.ts'
import { stepwise } from '../support/stepwise.ts'

const noProfile = {
  ...{ firstName: '', lastName: '', bio: '', favSport1: '', favSport2: '', favSport3: '' },
  ...{ location: '', avatar: '' },
}
const context = { requestId: 'test', deadline: Number.POSITIVE_INFINITY }
const keyed = { ...context, idempotencyKey: 'key' }
const password = 'correct horse 42'
const ege = { username: 'ege', email: 'ege@example.org', password, ...noProfile }
const client = { device: '', addressRange: '' }

/** The store as a process sees it that dies once it has appended an event of a type: nobody hears of it. */
function dyingAfter(type: string, store: EventStore): EventStore {
  return {
    append: async (stream, events, ...rest) => {
      const appended = await store.append(stream, events, ...rest)
      if (events.some(event => event.type === type)) throw new StoreUnavailable('the process died')
      return appended
    },
    readStream: store.readStream.bind(store),
    truncate: store.truncate.bind(store),
    purge: store.purge.bind(store),
    head: store.head.bind(store),
    readAll: store.readAll.bind(store),
    subscribe: store.subscribe.bind(store),
    close: store.close.bind(store),
  }
}

/** The store, with the ids that registrations had while they did not tell the address. */
function withOldIds(store: EventStore): EventStore {
  return {
    ...dyingAfter('nothing', store),
    append: (stream, events, ...rest) => {
      const old = events.map(event =>
        event.type === 'UserRegistered'
          ? { ...event, id: eventId({ stream, type: event.type }, 'register, once: key', 0) }
          : event,
      )
      return store.append(stream, old, ...rest)
    },
  }
}

async function eventsOf(store: EventStore, type: string): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = []
  for await (const { events } of store.readAll()) found.push(...events.filter(event => event.type === type))
  return found
}

async function failureOf(promised: Promise<unknown>): Promise<unknown> {
  return promised.then(
    () => undefined,
    (error: unknown) => error,
  )
}

const codeOf = (error: unknown) => (error instanceof DomainError ? error.code : String(error))

describe('A command with a key', () => {
  it('that was stored by a process which died before its answer is answered by the next one', async () => {
    await withOwnLog(async store => {
      const dying = (type: string) => process(dyingAfter(type, store))
      expect(await failureOf(dying('UserRegistered').registerUser(ege, keyed))).to.be.instanceOf(
        StoreUnavailable,
      )
      const registered = await process(store).registerUser(ege, keyed)
      expect(registered.value).to.include({ id: 1, username: 'ege', email: 'ege@example.org' })

      const login = { username: 'ege', password, ...client }
      expect(await failureOf(dying('SessionStarted').obtainTokens(login, keyed))).to.be.instanceOf(
        StoreUnavailable,
      )
      const { access, refresh } = await process(store).obtainTokens(login, keyed)
      const refreshing = { refresh, ...client }
      expect(await failureOf(dying('SessionRefreshed').refreshTokens(refreshing, keyed))).to.be.instanceOf(
        StoreUnavailable,
      )
      const next = await process(store).refreshTokens(refreshing, keyed)
      expect(await process(store).refreshTokens(refreshing, keyed)).to.deep.equal(next)

      const claims = tokens.readAccess(access, processNow)
      const edit = (accountsOf: EventStore) => process(accountsOf).editProfile(claims, { bio: 'new' }, keyed)
      expect(await failureOf(edit(dyingAfter('ProfileEdited', store)))).to.be.instanceOf(StoreUnavailable)
      await process(store).editProfile(claims, { bio: 'newer' }, context)
      expect((await edit(store)).value.bio).to.equal('new')

      const change = { oldPassword: password, newPassword: 'battery staple 43' }
      expect(
        await failureOf(dying('PasswordChanged').changePassword(claims, change, keyed)),
      ).to.be.instanceOf(StoreUnavailable)
      await process(store).changePassword(claims, change, keyed)

      for (const [type, count] of Object.entries({
        ...{
          UserRegistered: 1,
          SessionStarted: 1,
          SessionRefreshed: 1,
          ProfileEdited: 2,
          PasswordChanged: 1,
        },
      })) {
        expect(await eventsOf(store, type), type).to.have.lengthOf(count)
      }
    })
  })

  /** Does a command in a process that dies once it has appended an event of a type, then in one that lives. */
  async function diesThenLives<T>(
    store: EventStore,
    type: string,
    command: (accounts: ReturnType<typeof process>) => Promise<T>,
  ): Promise<T> {
    const died = await failureOf(command(process(dyingAfter(type, store))))
    expect(died, type).to.be.instanceOf(StoreUnavailable)
    const answer = await command(process(store))
    expect(await eventsOf(store, type), type).to.have.lengthOf(1)
    return answer
  }

  async function loggedIn(store: EventStore): Promise<AccessClaims> {
    const { access } = await process(store).obtainTokens({ username: 'ege', password, ...client }, context)
    return tokens.readAccess(access, processNow)
  }

  it('that a mail leads to is answered by the next process too, as is the request for the mail', async () => {
    await withOwnLog(async store => {
      await process(store).registerUser(ege, context)
      const claims = await loggedIn(store)

      const email = 'new@example.org'
      await diesThenLives(store, 'EmailChangeRequested', accounts =>
        accounts.requestEmailChange(claims, { password, email }, keyed),
      )
      const [asked] = await eventsOf(store, 'EmailChangeRequested')
      const { changeId, expiresAt } = z
        .object({ changeId: z.string(), expiresAt: z.string() })
        .parse(asked?.data)
      const token = tokens.emailChanges.make({ userId: 1, id: changeId, expiresAt })
      await diesThenLives(store, 'EmailChanged', accounts => accounts.confirmEmailChange(token, keyed))

      await diesThenLives(store, 'PasswordResetRequested', accounts =>
        accounts.requestPasswordReset(email, keyed),
      )
      const [requested] = await eventsOf(store, 'PasswordResetRequested')
      const reset = z.object({ resetId: z.string(), expiresAt: z.string() }).parse(requested?.data)
      const confirmation = {
        token: tokens.resets.make({ userId: 1, id: reset.resetId, expiresAt: reset.expiresAt }),
        password: 'battery staple 43',
      }
      await diesThenLives(store, 'PasswordReset', accounts =>
        accounts.confirmPasswordReset(confirmation, keyed),
      )
    })
  })

  it('that ends sessions, or the account, is answered by the next process, also in what it ended', async () => {
    await withOwnLog(async store => {
      await process(store).registerUser(ege, context)
      const [own, asking] = [await loggedIn(store), await loggedIn(store)]
      await diesThenLives(store, 'SessionRevoked', accounts => accounts.endSession(own, own.sessionId, keyed))
      await diesThenLives(store, 'SessionsEnded', accounts => accounts.endOtherSessions(asking, keyed))
      await diesThenLives(store, 'UserErased', accounts => accounts.eraseUser(asking, password, keyed))
    })
  })

  for (const hideUnknownEmails of [false, true]) {
    it(`that registered before ids told the address is answered, ${hideUnknownEmails ? 'hidden' : 'shown'}`, () =>
      withOwnLog(async store => {
        const on = (seen: EventStore) => process(seen, undefined, { hideUnknownEmails })
        if (hideUnknownEmails) await on(store).registerUser({ ...ege, username: 'owner' }, context)
        const { value } = await on(withOldIds(store)).registerUser(ege, keyed)
        expect(value.email).to.equal(hideUnknownEmails ? '' : ege.email)
        expect((await on(store).registerUser(ege, keyed)).value).to.deep.equal(value)
        const others = [{ username: 'lewis' }, hideUnknownEmails ? { bio: 'x' } : { email: '' }]
        for (const other of others) {
          const failure = await failureOf(on(store).registerUser({ ...ege, ...other }, keyed))
          expect(codeOf(failure), JSON.stringify(other)).to.equal('key_reused')
        }
      }))
  }

  it('registers one user, whichever attempts stop after whichever step, in any order', async () => {
    const attempt = fc.record({
      username: fc.constantFrom('ege', 'ege', 'lewis'),
      diesAfter: fc.option(fc.integer({ min: 0, max: 20 })),
    })
    const turn = fc.record({ owner: fc.nat(3), steps: fc.integer({ min: 1, max: 25 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 2, maxLength: 4 }),
        fc.array(turn, { minLength: 1, maxLength: 12 }),
        (attempts, turns) =>
          withOwnLog(async store => {
            const world = stepwise(store)
            const schedule = turns.flatMap(({ owner, steps }) =>
              Array<number>(steps).fill(owner % attempts.length),
            )
            const choose = (owners: readonly number[]) => Math.max(0, owners.indexOf(schedule.shift() ?? 0))
            const results = await world.run(
              attempts.map(({ username }, owner) => () => {
                const time = world.timeOf(owner)
                const slow = { ...time, pause: (_ms: number) => time.pause(700) }
                return process(world.storeOf(owner), slow).registerUser({ ...ege, username }, keyed)
              }),
              choose,
              attempts.map(({ diesAfter }) => diesAfter),
            )

            const after = stepwise(store)
            const time = { ...after.timeOf(0), pause: (_ms: number) => after.timeOf(0).pause(500) }
            const late = process(after.storeOf(0), time)
            const [last] = await after.run([() => late.registerUser(ege, keyed)], () => 0, [null])
            const registered = await eventsOf(store, 'UserRegistered')
            expect(registered).to.have.lengthOf(1)
            const username = registered[0]?.data.username
            const id = registered[0]?.data.userId
            for (const [owner, result] of [...results, last].entries()) {
              if (result === 'died' || result === undefined) continue
              const asked = attempts[owner]?.username ?? 'ege'
              if (asked !== username) expect(result).to.have.property('status', 'rejected')
              if (result.status === 'rejected') expect(codeOf(result.reason)).to.equal('key_reused')
              else expect(result.value.value).to.include({ id, username: asked })
            }
          }),
      ),
      { numRuns: 60 },
    )
  })

  it('edits once, whichever attempts stop after whichever step, in any order, whatever else is edited', async () => {
    const attempt = fc.record({
      what: fc.constantFrom('keyed', 'keyed', 'other body', 'without key'),
      diesAfter: fc.option(fc.integer({ min: 0, max: 8 })),
    })
    const turn = fc.record({ owner: fc.nat(4), steps: fc.integer({ min: 1, max: 6 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 2, maxLength: 5 }),
        fc.array(turn, { minLength: 1, maxLength: 12 }),
        (attempts, turns) =>
          withOwnLog(async store => {
            await process(store).registerUser(ege, context)
            const claims = { userId: 1, username: 'ege', sessionId: 's' }
            const world = stepwise(store)
            const schedule = turns.flatMap(({ owner, steps }) =>
              Array<number>(steps).fill(owner % attempts.length),
            )
            const choose = (owners: readonly number[]) => Math.max(0, owners.indexOf(schedule.shift() ?? 0))
            const bios = { keyed: 'mine', 'other body': 'theirs', 'without key': '' }
            const results = await world.run(
              attempts.map(({ what }, owner) => () => {
                const changes = what === 'without key' ? { bio: `${owner}` } : { bio: bios[what] }
                const given = what === 'without key' ? context : keyed
                return process(world.storeOf(owner)).editProfile(claims, changes, given)
              }),
              choose,
              attempts.map(({ diesAfter }) => diesAfter),
            )

            const last = await process(store)
              .editProfile(claims, { bio: 'mine' }, keyed)
              .then(({ value }) => value.bio, codeOf)
            const edits = await eventsOf(store, 'ProfileEdited')
            const once = edits.filter(({ data }) => data.bio === 'mine' || data.bio === 'theirs')
            expect(once).to.have.lengthOf(1)
            const done = once[0]?.data.bio
            expect(last).to.equal(done === 'mine' ? 'mine' : 'key_reused')
            for (const [owner, result] of results.entries()) {
              const what = attempts[owner]?.what ?? 'keyed'
              if (result === 'died' || what === 'without key') continue
              if (result.status === 'rejected') expect(codeOf(result.reason)).to.equal('key_reused')
              else expect(result.value.value.bio).to.equal(bios[what]).and.to.equal(done)
            }
          }),
      ),
      { numRuns: 60 },
    )
  })
})
