import { type Account, noAccount } from '../account/account.ts'
import { accounts } from '../account/aggregates.ts'
import { toRecorded } from '../account/upcasters.ts'
import type { EventStore, RecordedEvent } from '../event-store/event-store.ts'

/** Up to and including a revision, or all that happened until a time (ISO 8601). */
export type Moment = { revision: number } | { time: string }

export type AccountAt = {
  account: Account
  /** Of the last event until then, -1 and '' if there was none. */
  revision: number
  time: string
  registeredAt: string
  passwordSetAt: string
}

export const beforeAnything: AccountAt = {
  account: noAccount,
  revision: -1,
  time: '',
  registeredAt: '',
  passwordSetAt: '',
}

const pageOfEvents = 500
const setsPassword = new Set(['UserRegistered', 'PasswordReset', 'PasswordChanged'])

/** An account folded from the log, as it was at a moment. */
export async function accountAt(
  store: EventStore,
  stream: string,
  moment: Moment,
  deadline?: number,
): Promise<AccountAt> {
  let at = beforeAnything
  for await (const event of accountEvents(store, stream, 0, deadline)) {
    if (isAfter(moment, Number(event.revision), event.metadata.time)) return at
    at = afterEvent(at, event)
  }
  return at
}

/** The events of a stream from a revision on, to its end. */
export async function* accountEvents(
  store: EventStore,
  stream: string,
  first: number,
  deadline?: number,
): AsyncGenerator<RecordedEvent> {
  const until = deadline === undefined ? {} : { deadline }
  for (let from = BigInt(first); ; ) {
    const page = await store.readStream(stream, { from, limit: pageOfEvents, ...until })
    yield* page
    const last = page.at(-1)
    if (!last || page.length < pageOfEvents) return
    from = last.revision + 1n
  }
}

/** Throws UnreadableEvent, and where the event cannot follow what it was. */
export function afterEvent(at: AccountAt, stored: RecordedEvent): AccountAt {
  const event = toRecorded(stored)
  const { time } = event.metadata
  if (!accounts.accepts(event)) {
    throw new Error(`expected an event of an account, ${stored.stream} has ${event.type}`)
  }
  const place = { revision: Number(event.revision), time }
  return {
    ...place,
    account: accounts.evolve(at.account, event, place),
    registeredAt: event.type === 'UserRegistered' ? time : at.registeredAt,
    passwordSetAt: setsPassword.has(event.type) ? time : at.passwordSetAt,
  }
}

function isAfter(moment: Moment, revision: number, time: string): boolean {
  return 'revision' in moment ? revision > moment.revision : Date.parse(time) > Date.parse(moment.time)
}
