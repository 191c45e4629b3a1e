import { expect } from 'chai'
import { type SessionRow, sessions } from '../../projections/sessions.ts'
import type { Recorded } from '../../src/account/recorded.ts'
import { refreshSession, startSession } from '../../src/account/sessions.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import { second } from '../support/given-when-then.ts'
import { anEvent } from '../support/log-events.ts'

const id = '6f3a8f4e-5b1e-4a9e-9e6e-0123456789ab'
const client = { device: 'Firefox', addressRange: '192.0.2.0/24' }
const refreshTtlSeconds = 1000

const [started] = startSession(
  { userId: 4, username: 'egekaya', accountRevision: 7, startedBy: 'login-1', ...client },
  { now: second(0), refreshTtlSeconds },
)
if (started?.type !== 'SessionStarted') throw new Error('expected a session to start')
const elsewhere = { device: 'Safari', addressRange: '198.51.100.0/24' }
const [refreshed] = refreshSession(
  started.data,
  { counter: 0, ...elsewhere },
  { now: second(100), graceSeconds: 30, refreshTtlSeconds },
).events
if (!refreshed) throw new Error('expected a session to be refreshed')

function recorded(event: { type: string; data: object }, revision: number, atSecond: number): Recorded {
  const made = anEvent(JSON.parse(JSON.stringify(event.data)), { type: event.type })
  const version = event.type === 'SessionStarted' || event.type === 'SessionRefreshed' ? 3 : 1
  return toRecorded({
    ...made,
    metadata: { ...made.metadata, version, time: second(atSecond) },
    stream: `session-${id}`,
    revision: BigInt(revision),
    position: BigInt(revision),
  })
}

const revoked = { type: 'SessionRevoked', data: { userId: 4, reason: 'logout' } }
const forgotten = { type: 'SessionForgotten', data: { userId: 4 } }

const fold = (...events: Recorded[]) => events.reduce<SessionRow | null>(sessions.evolve, null)

describe('The sessions', () => {
  it('have a row each, under the id, that tells when and where it was used last', () => {
    const start = recorded(started, 0, 0)
    expect(sessions.key(start)).to.equal(id)
    const row = {
      ...{ id, userId: 4, ...client, startedAt: second(0), lastUsedAt: second(0), accountRevision: 7 },
      ...{ endsAt: second(refreshTtlSeconds), revoked: false },
    }
    expect(fold(start)).to.deep.equal(row)
    expect(fold(start, recorded(refreshed, 1, 100))).to.deep.equal({
      ...{ ...row, ...elsewhere, lastUsedAt: second(100), endsAt: second(100 + refreshTtlSeconds) },
    })
  })

  it('are the same from a stream that was truncated behind a refresh', () => {
    const whole = fold(recorded(started, 0, 0), recorded(refreshed, 1, 100), recorded(revoked, 2, 200))
    const cut = fold(recorded(refreshed, 1, 100), recorded(revoked, 2, 200))
    expect(cut).to.deep.equal(whole)
  })

  it('are found by user and the day they end, those that were revoked apart, and by that day', () => {
    const live = fold(recorded(started, 0, 0))
    const over = fold(recorded(started, 0, 0), recorded(revoked, 1, 86_400))
    if (!live || !over) throw new Error('expected rows')
    expect(sessions.indexes.user(live)).to.equal('4 2026-01-01')
    expect(sessions.indexes.user(over)).to.equal('4 revoked')
    expect(sessions.indexes.endDay(live)).to.equal('2026-01-01')
    expect(sessions.indexes.endDay(over)).to.equal('2026-01-02')
  })

  it('lose their row when they are forgotten', () => {
    expect(fold(recorded(started, 0, 0), recorded(forgotten, 1, 9))).to.equal(null)
    expect(fold(recorded(forgotten, 1, 9))).to.equal(null)
  })

  it('take nothing from other streams', () => {
    expect(sessions.key({ ...recorded(started, 0, 0), stream: 'user-4' })).to.equal(null)
  })
})
