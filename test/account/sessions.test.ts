import { expect } from 'chai'
import fc from 'fast-check'
import type { SessionState } from '../../src/account/events.ts'
import {
  evolve,
  forgetSession,
  isLive,
  noSession,
  refreshSession,
  revokeSession,
  type Session,
  startSession,
} from '../../src/account/sessions.ts'
import { second } from '../support/given-when-then.ts'

const client = { device: 'Firefox', addressRange: '192.0.2.0/24' }
const login = { userId: 4, username: 'egekaya', accountRevision: 7, startedBy: 'login-1', ...client }
const refreshTtlSeconds = 1_209_600

/** A session whose client and thief are acted out: each refresh says what came of it. */
function session(graceSeconds = 30) {
  let state: Session = noSession
  for (const event of startSession(login, { now: second(0), refreshTtlSeconds })) state = evolve(state, event)
  return {
    at(seconds: number) {
      return {
        refresh(counter: number): number | 'theft' | 'dead' {
          if (state.status !== 'live') return 'dead'
          const presented = { counter, ...client }
          const times = { now: second(seconds), graceSeconds, refreshTtlSeconds }
          const decided = refreshSession(state, presented, times)
          for (const event of decided.events) state = evolve(state, event)
          if (decided.outcome === 'theft') return 'theft'
          return state.status === 'live' ? state.current : 'dead'
        },
      }
    },
    live: (): SessionState => {
      if (state.status !== 'live') throw new Error(`expected a live session, found ${state.status}`)
      return state
    },
  }
}

describe('A session', () => {
  it('rotates its token at each refresh', () => {
    const phone = session()
    expect(phone.at(100).refresh(0)).to.equal(1)
    expect(phone.at(200).refresh(1)).to.equal(2)
    expect(phone.live()).to.deep.include({
      currentIssuedAt: second(200),
      currentExpiresAt: second(200 + 1_209_600),
    })
  })

  it('gives the current token again to one replaced within the grace: a lost answer, a late duplicate', () => {
    const phone = session()
    phone.at(100).refresh(0)
    expect(phone.at(129).refresh(0)).to.equal(1)
    expect(phone.at(129).refresh(1)).to.equal(2)
    expect(phone.at(129.5).refresh(0)).to.equal(2)
    expect(phone.at(140).refresh(1)).to.equal(2)
  })

  it('gives ten tabs at once one and the same token', () => {
    const browser = session()
    const answers = Array.from({ length: 10 }, () => browser.at(100).refresh(0))
    expect(new Set(answers)).to.deep.equal(new Set([1]))
  })

  it('forgives two lost answers a minute apart, and any number more', () => {
    const phone = session()
    expect(phone.at(0).refresh(0)).to.equal(1)
    expect(phone.at(60).refresh(0)).to.equal(2)
    expect(phone.at(120).refresh(0)).to.equal(3)
    expect(phone.at(3600).refresh(0)).to.equal(4)
    expect(phone.at(7200).refresh(4)).to.equal(5)
  })

  it('gives ten tabs at once one and the same token also after a lost answer', () => {
    const browser = session()
    browser.at(0).refresh(0)
    const answers = Array.from({ length: 10 }, () => browser.at(60).refresh(0))
    expect(new Set(answers)).to.deep.equal(new Set([2]))
  })

  it('ends when a thief and the owner refresh in turn', () => {
    const stolen = session()
    expect(stolen.at(100).refresh(0), 'the thief').to.equal(1)
    expect(stolen.at(200).refresh(0), 'the owner').to.equal(2)
    expect(stolen.at(300).refresh(1), 'the thief again').to.equal('theft')
    expect(stolen.at(301).refresh(2), 'nobody any more').to.equal('dead')
  })

  it('ends when the thief comes second', () => {
    const stolen = session()
    expect(stolen.at(100).refresh(0), 'the owner').to.equal(1)
    expect(stolen.at(200).refresh(1), 'the owner').to.equal(2)
    expect(stolen.at(300).refresh(0), 'the thief').to.equal('theft')
  })

  it('takes a token that was never given out for stolen', () => {
    expect(session().at(1).refresh(5)).to.equal('theft')
  })

  it('keeps its events small however fast a client refreshes, and forgives late duplicates all the same', () => {
    const loop = session()
    let token = 0
    for (let step = 1; step <= 3000; step++) {
      const next = loop.at(step / 100).refresh(token)
      expect(next).to.equal(token + 1)
      token += 1
    }
    expect(loop.live().replaced.length).to.be.at.most(18)
    expect(loop.at(30.1).refresh(token - 2900)).to.equal(token)
    expect(loop.at(70).refresh(token - 2)).to.equal('theft')
  })

  it('never logs out a client alone, whatever answers are lost and however late its duplicates within the grace', () => {
    const step = fc.record({
      pause: fc.integer({ min: 0, max: 100_000 }),
      lost: fc.boolean(),
      duplicate: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const phone = session()
        let held = 0
        let now = 0
        for (const { pause, lost, duplicate } of steps) {
          now += pause
          const presented = held
          const answer = phone.at(now).refresh(presented)
          expect(answer).to.be.a('number')
          if (!lost && typeof answer === 'number') held = answer
          // A duplicate is late by the time since its token was replaced, not since somebody presented it again.
          const replacedNow = phone.live().currentIssuedAt === second(now)
          if (duplicate && replacedNow) expect(phone.at(now + 29).refresh(presented)).to.be.a('number')
        }
      }),
    )
  })

  it('tells where it was used last', () => {
    const started = session().live()
    const elsewhere = { device: 'Safari', addressRange: '2001:db8::/48' }
    const times = { now: second(100), graceSeconds: 30, refreshTtlSeconds }
    const { events } = refreshSession(started, { counter: 0, ...elsewhere }, times)
    expect(events[0]?.data).to.include(elsewhere)
  })

  it('is revoked by its user, once', () => {
    const live: Session = { status: 'live', ...session().live() }
    expect(revokeSession(live, 4, 'logout')).to.deep.equal([
      { type: 'SessionRevoked', data: { userId: 4, reason: 'logout' } },
    ])
    expect(revokeSession(live, 5, 'logout')).to.deep.equal([])
    expect(revokeSession({ status: 'revoked' }, 4, 'logout')).to.deep.equal([])
    expect(revokeSession(noSession, 4, 'logout')).to.deep.equal([])
  })

  it('is forgotten when it is over, once', () => {
    const live: Session = { status: 'live', ...session().live() }
    const forgotten = [{ type: 'SessionForgotten', data: { userId: 4 } }]
    expect(forgetSession(live, 4, second(refreshTtlSeconds - 1))).to.deep.equal([])
    expect(forgetSession(live, 4, second(refreshTtlSeconds))).to.deep.equal(forgotten)
    expect(forgetSession({ status: 'revoked' }, 4, second(0))).to.deep.equal(forgotten)
    expect(forgetSession({ status: 'forgotten' }, 4, second(0))).to.deep.equal([])
    expect(evolve(live, { type: 'SessionForgotten', data: { userId: 4 } })).to.deep.equal({
      status: 'forgotten',
    })
  })

  it('is dead once the account ended what began before, but for the session excepted', () => {
    const started = session().live()
    const live: Session = { status: 'live', ...started }
    expect(isLive(live, 'mine', { revision: 7, except: null })).to.equal(true)
    expect(isLive(live, 'mine', { revision: 8, except: null })).to.equal(false)
    expect(isLive(live, 'mine', { revision: 8, except: 'mine' })).to.equal(true)
    expect(isLive({ status: 'revoked' }, 'mine', { revision: 0, except: 'mine' })).to.equal(false)
  })
})
