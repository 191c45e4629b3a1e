import { expect } from 'chai'
import fc from 'fast-check'
import { type AuditRow, audit, auditKey } from '../../projections/audit.ts'
import type { RosterEventType } from '../../src/account/events.ts'
import { refreshSession, startSession } from '../../src/account/sessions.ts'
import { currentVersion, toRecorded } from '../../src/account/upcasters.ts'
import type { RecordedEvent } from '../../src/event-store/event-store.ts'
import { foldEvents, keyEvents } from '../../src/projector/fold.ts'
import type { StoredDocument } from '../../src/read-store/read-store.ts'
import { second } from '../support/given-when-then.ts'
import { anEvent } from '../support/log-events.ts'

type Happened = { type: RosterEventType; data: object }

const session = 'session-6f3a8f4e-5b1e-4a9e-9e6e-0123456789ab'
const refreshTtlSeconds = 1000

/** Events of a stream a second apart, each of another request. */
function inStream(
  stream: string,
  events: readonly Happened[],
  actor: number | 'system' = 42,
): RecordedEvent[] {
  return events.map(({ type, data }, at) => {
    const made = anEvent(JSON.parse(JSON.stringify(data)), { type })
    const version = currentVersion(type)
    const metadata = { ...made.metadata, actor, version, time: second(at), $correlationId: `request-${at}` }
    return { ...made, metadata, stream, revision: BigInt(at), position: BigInt(at) }
  })
}

/** A session, refreshed so often, perhaps revoked, perhaps forgotten. */
function sessionEvents(
  refreshes: number,
  ...last: ('SessionRevoked' | 'SessionForgotten')[]
): RecordedEvent[] {
  const client = { device: 'Firefox', addressRange: '192.0.2.0/24' }
  const login = { userId: 42, username: 'ege', accountRevision: 1, startedBy: 'request-0', ...client }
  const events = startSession(login, { now: second(0), refreshTtlSeconds })
  for (let counter = 0; counter < refreshes; counter++) {
    const state = events.at(-1)
    if (state?.type !== 'SessionStarted' && state?.type !== 'SessionRefreshed') throw new Error('not live')
    const times = { now: second(counter + 1), graceSeconds: 0, refreshTtlSeconds }
    events.push(...refreshSession(state.data, { counter, ...client }, times).events)
  }
  const ends = last.map(type => ({ type, data: { userId: 42, reason: 'logout' } }))
  return inStream(session, [...events, ...ends])
}

function fold(events: readonly RecordedEvent[], before = new Map<string, StoredDocument<AuditRow>>()) {
  const { keyed } = keyEvents(audit, events, toRecorded)
  const { writes, unapplied } = foldEvents(audit, keyed, before)
  expect(unapplied).to.deep.equal([])
  return new Map([...before, ...writes.map(each => [each.key, each] as const)])
}

const rowsOf = (events: readonly RecordedEvent[]) =>
  [...fold(events).values()].flatMap(({ document }) => (document ? [document] : []))

describe('The audit', () => {
  it('has a row for each event of an account that tells where it is, and nothing of what it says', () => {
    const events = inStream('user-42', [
      { type: 'AccountDisabled', data: {} },
      { type: 'ProfileEdited', data: { bio: 'a secret' } },
    ])
    expect(rowsOf(events)).to.deep.equal([
      {
        ...{ stream: 'user-42', revision: 0, type: 'AccountDisabled', time: second(0) },
        ...{ actor: 42, request: 'request-0', userId: 42 },
      },
      {
        ...{ stream: 'user-42', revision: 1, type: 'ProfileEdited', time: second(1) },
        ...{ actor: 42, request: 'request-1', userId: 42 },
      },
    ])
  })

  it('has a row for the beginning of a session and one for its end, none for what is between', () => {
    const row = { stream: session, actor: 42, userId: 42 }
    expect(rowsOf(sessionEvents(3, 'SessionRevoked'))).to.deep.equal([
      { ...row, revision: 0, type: 'SessionStarted', time: second(0), request: 'request-0' },
      { ...row, revision: 4, type: 'SessionRevoked', time: second(4), request: 'request-4' },
    ])
  })

  it('is the same of a session whose stream was truncated, wherever, and whoever had seen what before', () => {
    const ends = fc.constantFrom(
      [],
      ['SessionRevoked'] as const,
      ['SessionRevoked', 'SessionForgotten'] as const,
    )
    fc.assert(
      fc.property(fc.nat(40), ends, fc.nat(100), (refreshes, last, seen) => {
        const events = sessionEvents(refreshes, ...last)
        const cut = Math.min(refreshes, events.length - 1)
        const rowsIn = (documents: Map<string, StoredDocument<AuditRow>>) =>
          [...documents.values()]
            .flatMap(({ document }) => document ?? [])
            .sort((a, b) => a.revision - b.revision)
        const whole = rowsIn(fold(events))
        expect(rowsIn(fold(events.slice(cut)))).to.deep.equal(whole)
        const some = fold(events.slice(0, seen % (events.length + 1)))
        expect(rowsIn(fold(events.slice(cut), some))).to.deep.equal(whole)
      }),
    )
  })

  it('loses the rows of a session that is forgotten, revoked before or not', () => {
    for (const refreshes of [0, 1, 5]) {
      expect(rowsOf(sessionEvents(refreshes, 'SessionForgotten'))).to.deep.equal([])
      expect(rowsOf(sessionEvents(refreshes, 'SessionRevoked', 'SessionForgotten'))).to.deep.equal([])
    }
  })

  it('loses the rows of an account that is erased, but that of the erasure, whatever is still in the log', () => {
    const edits = Array.from({ length: 11 }, () => ({ type: 'ProfileEdited', data: { bio: 'a' } }) as const)
    const erased = { type: 'UserErased', data: { reservedUntil: second(100) } } as const
    const events = inStream('user-42', [...edits, erased])
    const erasure = {
      ...{ stream: 'user-42', revision: 11, type: 'UserErased', time: second(11) },
      ...{ actor: 42, request: 'request-11', userId: 42 },
    }
    for (const rest of [events, events.slice(4), events.slice(-1)]) {
      expect(rowsOf(rest)).to.deep.equal([erasure])
      // A worker that was paused meanwhile.
      const late = fold(events.slice(0, 5), fold(rest))
      expect([...late.values()].flatMap(({ document }) => document ?? [])).to.deep.equal([erasure])
    }
  })

  it('takes nothing from bookkeeping', () => {
    const [claimed] = inStream('username-x', [{ type: 'NameClaimed', data: { stream: 'user-42', at: -1 } }])
    if (!claimed) throw new Error('expected an event')
    expect(audit.key(toRecorded(claimed))).to.equal(null)
  })

  it('is found by type, by user, and by an actor who is another, each in the order of time', () => {
    const [own] = rowsOf(inStream('user-42', [{ type: 'AccountDisabled', data: {} }]))
    const [others] = rowsOf(inStream('user-42', [{ type: 'AccountDisabled', data: {} }], 'system'))
    if (!own || !others) throw new Error('expected rows')
    expect(audit.indexes.type(own)).to.equal(`AccountDisabled ${second(0)}`)
    expect(audit.indexes.user(own)).to.equal(`42 42 AccountDisabled ${second(0)}`)
    expect(audit.indexes.actor(own)).to.equal(null)
    expect(audit.indexes.actor(others)).to.equal(`system AccountDisabled ${second(0)}`)
  })

  it('has keys in the order of revisions', () => {
    const revisions = [0n, 9n, 10n, 11n, 99n, 100n, 12345n]
    const keys = revisions.map(revision => auditKey('user-1', revision))
    expect(keys.toSorted()).to.deep.equal(keys)
  })
})
