import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { RosterEvent, RosterEventType } from '../../src/account/events.ts'
import { currentVersion, recordedWith, toRecorded, UnreadableEvent } from '../../src/account/upcasters.ts'
import type { NewEvent, RecordedEvent } from '../../src/event-store/event-store.ts'
import { anEvent } from '../support/log-events.ts'

type DataOf<Type extends RosterEventType> = Extract<RosterEvent, { type: Type }>['data']

/**
 * What the fixture of each version of each type, from version 1 on, reads as today. A new type does not compile
 * without an entry, nor does a change of shape: it needs a version of its own, a fixture and an upcaster.
 */
const readsAs: { [Type in RosterEventType]: readonly [DataOf<Type>, ...DataOf<Type>[]] } = {
  UserRegistered: [
    {
      userId: 4,
      username: 'egekaya',
      email: 'ege@example.org',
      passwordHash:
        '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yqVZs7iBQg3Nw8Yk2m7a5tV0f0J1x2c3b4n5m6q7w8E',
      firstName: 'Ege Can',
      lastName: 'Kaya',
      bio: 'Hello, I love sports.',
      favSport1: 'football',
      favSport2: 'basketball',
      favSport3: 'tennis',
      location: 'İstanbul',
      avatar: '',
    },
  ],
  ClaimAbandoned: [{ reason: 'overtaken' }],
  ProfileEdited: [{ bio: '7-time world champion', favSport1: 'Formula 1', privacy: true }],
  PasswordResetRequested: [
    { resetId: '5f0c6f1e-9f0a-4c38-8d3a-0f8a1a3f6f11', expiresAt: '2026-01-02T12:00:00.000Z' },
  ],
  PasswordReset: [
    {
      resetId: '5f0c6f1e-9f0a-4c38-8d3a-0f8a1a3f6f11',
      passwordHash:
        '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yqVZs7iBQg3Nw8Yk2m7a5tV0f0J1x2c3b4n5m6q7w8E',
    },
  ],
  PasswordChanged: [
    {
      passwordHash:
        '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yqVZs7iBQg3Nw8Yk2m7a5tV0f0J1x2c3b4n5m6q7w8E',
      exceptSession: '0b7f2a34-6a57-4c52-9d57-3f1c4f0e8b21',
      noticeId: 'Zm9vYmFyYmF6cXV4Zm9vYg',
    },
  ],
  PasswordRehashed: [
    {
      passwordHash:
        '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yqVZs7iBQg3Nw8Yk2m7a5tV0f0J1x2c3b4n5m6q7w8E',
    },
  ],
  EmailChangeRequested: [
    { changeId: 'cXV4Zm9vYmFyYmF6Zm9vYg', email: 'kaya@example.org', expiresAt: '2026-01-02T12:00:00.000Z' },
  ],
  EmailChanged: [
    { email: 'kaya@example.org', changeId: 'cXV4Zm9vYmFyYmF6Zm9vYg', noticeId: 'YmFyYmF6cXV4Zm9vZm9vYg' },
  ],
  EmailLost: [{ takenBy: 7 }],
  SessionStolen: [
    {
      sessionId: '0b7f2a34-6a57-4c52-9d57-3f1c4f0e8b21',
      device: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      addressRange: '192.0.2.0/24',
      noticeId: 'YmF6cXV4Zm9vYmFyZm9vYg',
    },
  ],
  EmailWanted: [{ for: 'registration', noticeId: 'YmF6cXV4Zm9vYmFyZm9vYg' }],
  AccountDisabled: [{}],
  AccountEnabled: [{}],
  SessionsEnded: [{ exceptSession: '0b7f2a34-6a57-4c52-9d57-3f1c4f0e8b21' }],
  MailSent: [
    {
      mailId: '5f0c6f1e-9f0a-4c38-8d3a-0f8a1a3f6f11',
      messageId: '<5f0c6f1e-9f0a-4c38-8d3a-0f8a1a3f6f11@roster.example>',
    },
  ],
  MailAbandoned: [{ mailId: '5f0c6f1e-9f0a-4c38-8d3a-0f8a1a3f6f11', reason: 'superseded' }],
  UserErased: [{ reservedUntil: '2026-01-31T12:00:00.000Z' }],
  NameClaimed: [{ stream: 'user-4', at: -1 }],
  SessionStarted: [
    {
      userId: 4,
      username: 'egekaya',
      startedAt: '2026-01-01T12:00:00.000Z',
      startedBy: '',
      device: '',
      addressRange: '',
      accountRevision: 3,
      current: 0,
      currentIssuedAt: '2026-01-01T12:00:00.000Z',
      currentExpiresAt: '2026-01-15T12:00:00.000Z',
      presented: null,
      replaced: [],
    },
    {
      userId: 4,
      username: 'egekaya',
      startedAt: '2026-01-01T12:00:00.000Z',
      startedBy: '',
      device: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      addressRange: '192.0.2.0/24',
      accountRevision: 3,
      current: 0,
      currentIssuedAt: '2026-01-01T12:00:00.000Z',
      currentExpiresAt: '2026-01-15T12:00:00.000Z',
      presented: null,
      replaced: [],
    },
    {
      userId: 4,
      username: 'egekaya',
      startedAt: '2026-01-01T12:00:00.000Z',
      startedBy: 'request-1',
      device: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      addressRange: '192.0.2.0/24',
      accountRevision: 3,
      current: 0,
      currentIssuedAt: '2026-01-01T12:00:00.000Z',
      currentExpiresAt: '2026-01-15T12:00:00.000Z',
      presented: null,
      replaced: [],
    },
  ],
  SessionRefreshed: [
    {
      userId: 4,
      username: 'egekaya',
      startedAt: '2026-01-01T12:00:00.000Z',
      startedBy: '',
      device: '',
      addressRange: '',
      accountRevision: 3,
      current: 2,
      currentIssuedAt: '2026-01-01T12:05:10.000Z',
      currentExpiresAt: '2026-01-15T12:05:10.000Z',
      presented: 1,
      replaced: [{ first: 0, last: 1, from: '2026-01-01T12:05:00.000Z', until: '2026-01-01T12:05:10.000Z' }],
    },
    {
      userId: 4,
      username: 'egekaya',
      startedAt: '2026-01-01T12:00:00.000Z',
      startedBy: '',
      device: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      addressRange: '192.0.2.0/24',
      accountRevision: 3,
      current: 2,
      currentIssuedAt: '2026-01-01T12:05:10.000Z',
      currentExpiresAt: '2026-01-15T12:05:10.000Z',
      presented: 1,
      replaced: [{ first: 0, last: 1, from: '2026-01-01T12:05:00.000Z', until: '2026-01-01T12:05:10.000Z' }],
    },
    {
      userId: 4,
      username: 'egekaya',
      startedAt: '2026-01-01T12:00:00.000Z',
      startedBy: 'request-1',
      device: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      addressRange: '192.0.2.0/24',
      accountRevision: 3,
      current: 2,
      currentIssuedAt: '2026-01-01T12:05:10.000Z',
      currentExpiresAt: '2026-01-15T12:05:10.000Z',
      presented: 1,
      replaced: [{ first: 0, last: 1, from: '2026-01-01T12:05:00.000Z', until: '2026-01-01T12:05:10.000Z' }],
    },
  ],
  SessionRevoked: [{ userId: 4, reason: 'theft' }],
  SessionForgotten: [{ userId: 4 }],
  IdBlockClaimed: [{ first: 1, size: 20 }],
  LogCreated: [
    {
      logId: '0b7f2a34-6a57-4c52-9d57-3f1c4f0e8b21',
      namesKey: 'kZWJUpK7ZS1hxJbNLE9LCbh2x8FbS_jMmOCX3U5YV8Q',
    },
  ],
}

const folder = new URL('../fixtures/events/', import.meta.url)
const fixture = (name: string): NewEvent => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
const inLog = (event: NewEvent): RecordedEvent => ({
  ...event,
  stream: 'user-4',
  revision: 7n,
  position: 99n,
})
const versioned = (version: unknown, event: NewEvent) =>
  inLog({ ...event, metadata: { ...event.metadata, version: version as number } })

describe('Stored events', () => {
  for (const [type, versions] of Object.entries(readsAs)) {
    for (const [index, data] of versions.entries()) {
      const name = `${type}.v${index + 1}.json`
      it(`read ${type} version ${index + 1} as it was stored in ${name}`, () => {
        const stored = fixture(name)
        expect(stored).to.include({ type })
        expect(stored.metadata.version).to.equal(index + 1)
        const recorded = toRecorded(inLog(stored))
        expect(recorded).to.deep.equal({
          ...inLog(stored),
          data,
          metadata: { ...stored.metadata, version: versions.length },
        })
      })
    }
  }

  it('have a fixture for every version that was ever stored, and no other', () => {
    const types = Object.keys(readsAs) as RosterEventType[]
    const expected = types.flatMap(type =>
      Array.from({ length: currentVersion(type) }, (_, index) => `${type}.v${index + 1}.json`),
    )
    expect(readdirSync(folder)).to.have.members(expected)
    for (const type of types) expect(readsAs[type]).to.have.length(currentVersion(type))
  })

  it('are handed on as they are at the current version, without a copy', () => {
    const event = inLog(fixture('ProfileEdited.v1.json'))
    expect(toRecorded(event)).to.equal(event)
  })

  it('are taken through every upcaster from their version on', () => {
    const read = recordedWith({
      Noted: [
        data => ({ ...data, steps: [1] }),
        data => ({ ...data, steps: [...(Array.isArray(data.steps) ? data.steps : []), 2] }),
      ],
    })
    const shapeOf = (version: number) => {
      const { data, metadata } = read(versioned(version, anEvent({ text: 'a' })))
      return { data, version: metadata.version }
    }
    expect(shapeOf(1)).to.deep.equal({ data: { text: 'a', steps: [1, 2] }, version: 3 })
    expect(shapeOf(2)).to.deep.equal({ data: { text: 'a', steps: [2] }, version: 3 })
    expect(shapeOf(3)).to.deep.equal({ data: { text: 'a' }, version: 3 })
  })

  describe('are refused with stream, revision, type, version and what was expected', () => {
    const registered = fixture('UserRegistered.v1.json')

    function refusal(event: RecordedEvent): string {
      expect(() => toRecorded(event)).to.throw(UnreadableEvent)
      try {
        toRecorded(event)
      } catch (error) {
        return String(error)
      }
      return ''
    }

    it('when their type is unknown', () => {
      for (const type of ['UserBaptized', 'constructor', '__proto__', '']) {
        expect(refusal(inLog({ ...registered, type }))).to.equal(
          `UnreadableEvent: cannot read ${type} version 1 at revision 7 of user-4: ` +
            'expected a type that this version of Roster knows',
        )
      }
    })

    it('when their version is newer than known, or none', () => {
      for (const version of [2, 0, -1, 1.5, '1', null, undefined]) {
        expect(refusal(versioned(version, registered))).to.equal(
          `UnreadableEvent: cannot read UserRegistered version ${version} at revision 7 of user-4: expected version 1`,
        )
      }
      for (const metadata of [null, 'text', []]) {
        expect(refusal(inLog({ ...registered, metadata: metadata as never }))).to.contain('version undefined')
      }
    })

    it('when their data is not an object', () => {
      for (const data of [null, 'text', 1, []]) {
        expect(refusal(inLog({ ...registered, data: data as never }))).to.equal(
          'UnreadableEvent: cannot read UserRegistered version 1 at revision 7 of user-4: ' +
            'expected its data to be an object',
        )
      }
    })
  })
})
