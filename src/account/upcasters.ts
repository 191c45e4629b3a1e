import type { JsonObject, RecordedEvent } from '../event-store/event-store.ts'
import type { RosterEventType } from './events.ts'
import type { Recorded } from './recorded.ts'

/** Turns the data of one version of an event into that of the next. */
export type Upcaster = (data: JsonObject) => JsonObject

/**
 * For each stored event type the upcasters from version 1 to 2, 2 to 3 and so on. A type is at the version after
 * its last upcaster; what is stored is never rewritten.
 */
const upcasters: Readonly<Record<RosterEventType, readonly Upcaster[]>> = {
  UserRegistered: [],
  ClaimAbandoned: [],
  ProfileEdited: [],
  PasswordResetRequested: [],
  PasswordReset: [],
  PasswordChanged: [],
  PasswordRehashed: [],
  EmailChangeRequested: [],
  EmailChanged: [],
  EmailLost: [],
  SessionStolen: [],
  EmailWanted: [],
  AccountDisabled: [],
  AccountEnabled: [],
  SessionsEnded: [],
  MailSent: [],
  MailAbandoned: [],
  UserErased: [],
  NameClaimed: [],
  SessionStarted: [withUnknownClient, withUnknownRequest],
  SessionRefreshed: [withUnknownClient, withUnknownRequest],
  SessionRevoked: [],
  SessionForgotten: [],
  IdBlockClaimed: [],
  LogCreated: [],
}

/** Version 1 did not say whose hands a session was in. */
function withUnknownClient(data: JsonObject): JsonObject {
  return { ...data, device: '', addressRange: '' }
}

/** Version 2 left it to the metadata of the first event which request began a session: truncation took that along. */
function withUnknownRequest(data: JsonObject): JsonObject {
  return { ...data, startedBy: '' }
}

/** An event in the log that this version of Roster cannot make sense of. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent'
  readonly event: RecordedEvent
  readonly expected: string
  constructor(event: RecordedEvent, expected: string) {
    super(
      `cannot read ${event.type} version ${event.metadata?.version} ` +
        `at revision ${event.revision} of ${event.stream}: expected ${expected}`,
    )
    this.event = event
    this.expected = expected
  }
}

/** The schema version that events of this type are written with. */
export function currentVersion(type: RosterEventType): number {
  return upcasters[type].length + 1
}

/** The event in its newest shape. Throws UnreadableEvent if its type, version or form is unknown. */
export const toRecorded = recordedWith(upcasters)

/** `toRecorded` under a table of upcasters: those of a type lead from version 1 to 2, 2 to 3 and so on. */
export function recordedWith(
  table: Readonly<Record<string, readonly Upcaster[]>>,
): (event: RecordedEvent) => Recorded {
  const stepsByType = new Map(Object.entries(table))
  return event => {
    const steps = stepsByType.get(event.type)
    if (!steps) throw new UnreadableEvent(event, 'a type that this version of Roster knows')
    const newest = steps.length + 1
    for (let current = event; ; ) {
      if (!isObject(current.data)) throw new UnreadableEvent(event, 'its data to be an object')
      if (isAtVersion(current, newest)) return current
      const version = current.metadata?.version
      const step = steps[version - 1]
      if (!step) throw new UnreadableEvent(event, newest > 1 ? `a version from 1 to ${newest}` : 'version 1')
      current = {
        ...current,
        data: step(current.data),
        metadata: { ...current.metadata, version: version + 1 },
      }
    }
  }
}

/** Type and version vouch for the fields: this is the one place where what was stored is believed. */
function isAtVersion(event: RecordedEvent, version: number): event is Recorded {
  return event.metadata?.version === version
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
