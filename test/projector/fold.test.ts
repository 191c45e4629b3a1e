import { expect } from 'chai'
import fc from 'fast-check'
import { type Profile, profiles } from '../../projections/profiles.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import type { NewEvent, RecordedEvent } from '../../src/event-store/event-store.ts'
import { foldEvents, keyEvents } from '../../src/projector/fold.ts'
import type { StoredDocument } from '../../src/read-store/read-store.ts'
import { edited, registered, unreadable } from './stage.ts'

type Stored = Map<string, StoredDocument<Profile>>

function apply(stored: Stored, events: readonly RecordedEvent[]): Stored {
  const { keyed } = keyEvents(profiles, events, toRecorded)
  const { writes } = foldEvents(profiles, keyed, stored)
  return new Map([...stored, ...writes.map(each => [each.key, each] as const)])
}

const sorted = (stored: Stored) => [...stored.values()].sort((a, b) => (a.key < b.key ? -1 : 1))

/** A log of a few users, each registered before anything else. */
const logs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.string({ maxLength: 5 })), { maxLength: 40 })
  .map(edits => {
    const revisions = new Map<number, bigint>()
    return edits.map(([user, bio], at): RecordedEvent => {
      const revision = (revisions.get(user) ?? -1n) + 1n
      revisions.set(user, revision)
      const event: NewEvent = revision === 0n ? registered(user, `User${user}`) : edited({ bio })
      return { ...event, stream: `user-${user}`, revision, position: BigInt(at) }
    })
  })

describe('the fold of a read model', () => {
  it('gives the same for any split of the log, with any repeats', () => {
    fc.assert(
      fc.property(logs, fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 12 }), (log, cuts) => {
        const whole = apply(new Map(), log)
        let split: Stored = new Map()
        let reached = 0
        for (const [back, forth] of cuts) {
          const from = Math.max(0, reached - back)
          reached = Math.max(reached, Math.min(log.length, from + forth))
          split = apply(split, log.slice(from, from + forth))
        }
        split = apply(split, log.slice(reached))
        expect(sorted(split)).to.deep.equal(sorted(whole))
        expect(sorted(apply(split, log))).to.deep.equal(sorted(whole))
      }),
    )
  })

  it('changes nothing when a batch is done twice', () => {
    fc.assert(
      fc.property(logs, log => {
        const once = apply(new Map(), log)
        const { keyed } = keyEvents(profiles, log, toRecorded)
        expect(foldEvents(profiles, keyed, once).writes).to.deep.equal([])
      }),
    )
  })

  it('moves the revision with every event, changed or not', () => {
    const log = [registered(1, 'ada'), edited({})].map((event, at) => ({
      ...event,
      stream: 'user-1',
      revision: BigInt(at),
      position: BigInt(at),
    }))
    expect(apply(new Map(), log).get('1')?.revision).to.equal(1n)
  })

  it('stops a stream at what it cannot read or apply, and goes on with the others', () => {
    const at = (stream: string, revision: bigint, event: NewEvent): RecordedEvent => ({
      ...event,
      stream,
      revision,
      position: 0n,
    })
    const events = [
      at('user-1', 0n, registered(1, 'ada')),
      at('user-1', 1n, unreadable()),
      at('user-1', 2n, edited({ bio: 'late' })),
      at('user-2', 0n, edited({ bio: 'nobody yet' })),
      at('user-2', 1n, registered(2, 'bob')),
      at('user-3', 0n, registered(3, 'cy')),
    ]
    const { keyed, unapplied } = keyEvents(profiles, events, toRecorded)
    const folded = foldEvents(profiles, keyed, new Map())
    expect(unapplied.map(({ event }) => event.stream)).to.deep.equal(['user-1'])
    expect(folded.unapplied.map(({ event }) => [event.stream, event.revision])).to.deep.equal([
      ['user-2', 0n],
    ])
    expect(folded.writes.map(({ key, document }) => [key, document?.bio])).to.deep.equal([
      ['1', ''],
      ['3', ''],
    ])
  })

  it('stops a stream at a document that cannot be found as it should', () => {
    const username = (profile: Profile) => {
      if (profile.bio === 'awkward') throw new Error('expected a bio that is not awkward')
      return profile.key
    }
    const events = [registered(1, 'ada'), edited({ bio: 'awkward' }), edited({ bio: 'late' })]
    const keyed = events.map((event, at) => ({
      key: '1',
      event: toRecorded({ ...event, stream: 'user-1', revision: BigInt(at), position: BigInt(at) }),
      removes: false,
    }))
    const { writes, unapplied } = foldEvents({ ...profiles, indexes: { username } }, keyed, new Map())
    expect(writes.map(({ revision, document }) => [revision, document?.bio])).to.deep.equal([[0n, '']])
    expect(unapplied.map(({ event }) => event.revision)).to.deep.equal([1n])
  })

  it('refuses a document that two streams would feed', () => {
    const events = ['user-1', 'user-9'].map((stream, at) => ({
      ...registered(1, 'ada'),
      stream,
      revision: 0n,
      position: BigInt(at),
    }))
    const keyed = events.map(event => ({ key: 'same', event: toRecorded(event), removes: false }))
    const { writes, unapplied } = foldEvents(profiles, keyed, new Map())
    expect(writes.map(({ stream }) => stream)).to.deep.equal(['user-1'])
    expect(unapplied.map(({ event }) => event.stream)).to.deep.equal(['user-9'])
  })
})
