import { randomUUID } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect } from 'chai'
import { DomainError } from '../../src/account/domain-error.ts'
import type { EventStore, NewEvent } from '../../src/event-store/event-store.ts'
import type { Answer, Exchange } from '../../src/http/exchange.ts'
import { inspect } from '../../src/http/fields.ts'
import { createHideTime } from '../../src/http/hide-time.ts'
import { createNewCommand, createNewContext } from '../../src/http/new-context.ts'
import { createPasswordResetRoutes } from '../../src/http/password-reset.ts'
import { createRegister, registerBody } from '../../src/http/register.ts'
import { process } from '../support/account-process.ts'
import { withOwnLog } from '../support/sample-log.ts'

const arrivedAt = 1000
const unknown = 'nobody@example.org'
const owner = { username: 'owner', email: 'owner@example.org', password: 'correct horse 42' }

/** The store as one sees it whose every call is told first, with the events that it appends. */
function toldOf(store: EventStore, called: (events: readonly NewEvent[]) => void): EventStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        called(name === 'append' && Array.isArray(args[1]) ? args[1] : [])
        return Reflect.apply(value, target, args)
      }
    },
  })
}

/** The routes that hide time, on a clock that only the calls of the store move, by so many milliseconds each. */
function routesOn(store: EventStore, { callMs = 7 } = {}) {
  let clock = arrivedAt
  let appended: string[] = []
  let paused = (_milliseconds: number, _end: () => void) => {}
  const seen = toldOf(store, events => {
    clock += callMs
    // Every second user needs a block of ids, whoever it is.
    appended.push(...events.map(({ type }) => type).filter(type => type !== 'IdBlockClaimed'))
  })
  const accounts = process(seen, undefined, { hideUnknownEmails: true })
  const hideTime = createHideTime({
    monotonicNow: () => clock,
    pause: milliseconds => new Promise(end => paused(milliseconds, end)),
  })
  const newContext = createNewContext(20_000)
  const newCommand = createNewCommand(newContext)
  const { requestReset } = createPasswordResetRoutes(accounts, newContext, newCommand, hideTime)
  const register = createRegister(accounts, newCommand, hideTime)

  /**
   * What a request that just arrived comes to: the moment until which it waits, null if it is answered before, its
   * answer, and what was appended for it.
   */
  async function outcomeOf(step: (exchange: Exchange) => Promise<Answer>, key?: string) {
    clock = arrivedAt
    appended = []
    let isAnswered = false
    const answered = step(exchangeWith(key))
      .then(({ status, body }) => ({ status, body }), codeOf)
      .finally(() => {
        isAnswered = true
      })
    const waiting = await Promise.race([
      new Promise<{ until: number; end(): void }>(resolve => {
        paused = (milliseconds, end) => resolve({ until: clock + milliseconds, end })
      }),
      answered.then(() => null),
    ])
    await new Promise(setImmediate)
    const waitsUntil = isAnswered ? null : waiting?.until
    waiting?.end()
    return { waitsUntil, answer: await answered, appended }
  }

  return {
    reset: (email: string) =>
      outcomeOf(exchange => requestReset(Object.assign(exchange, { fields: { email } }))),
    register: (user: typeof owner, key?: string) =>
      outcomeOf(
        exchange =>
          register(Object.assign(exchange, { sent: user, inspection: inspect(registerBody, user) })),
        key,
      ),
  }
}

function exchangeWith(key?: string): Exchange {
  const req = new IncomingMessage(new Socket())
  if (key !== undefined) req.headers['idempotency-key'] = key
  const res = new ServerResponse(req)
  return { req, res, requestId: randomUUID(), arrivedAt, segment: '', query: '', standing: null }
}

const codeOf = (error: unknown) => (error instanceof DomainError ? error.code : String(error))

describe('Where addresses are hidden', () => {
  it('a reset is answered at the same moment for an address that is known and for one that is not', () =>
    withOwnLog(async store => {
      const { register, reset } = routesOn(store)
      await register(owner)
      const [known, other] = [await reset(owner.email), await reset(unknown)]
      expect(known.appended).to.deep.equal(['PasswordResetRequested'])
      expect(other.appended).to.deep.equal([])
      for (const { waitsUntil, answer } of [known, other]) {
        expect(waitsUntil).to.equal(1250)
        expect(answer).to.deep.equal({ status: 200, body: '{"status":"OK"}' })
      }
    }))

  it('a registration does as much, and is answered at the same moment, whether its address is taken or not', () =>
    withOwnLog(async store => {
      const { register } = routesOn(store)
      await register(owner)
      const free = await register({ ...owner, username: 'one', email: unknown })
      const taken = await register({ ...owner, username: 'other' })
      expect(free.appended).to.deep.equal(['NameClaimed', 'NameClaimed', 'UserRegistered'])
      expect(taken.appended).to.deep.equal(['NameClaimed', 'EmailWanted', 'UserRegistered'])
      expect([free.waitsUntil, taken.waitsUntil]).to.deep.equal([1250, 1250])
    }))

  it('a registration that is refused is so at such a moment too', () =>
    withOwnLog(async store => {
      const { register } = routesOn(store)
      await register(owner, 'key')
      const refused = await register({ ...owner, email: unknown }, 'key')
      expect(refused).to.deep.equal({ waitsUntil: 1250, answer: 'key_reused', appended: [] })
    }))

  it('what takes longer is answered at the next such moment', () =>
    withOwnLog(async store => {
      const { register, reset } = routesOn(store, { callMs: 260 })
      await register(owner)
      expect((await reset(unknown)).waitsUntil).to.equal(1500)
    }))
})
