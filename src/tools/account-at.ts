import { type Account, noAccount } from '../account/account.ts'
import { accounts } from '../account/aggregates.ts'
import { toRecorded } from '../account/upcasters.ts'
import type { EventStore } from '../event-store/event-store.ts'

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

const pageOfEvents = 500
const setsPassword = new Set(['UserRegistered', 'PasswordReset', 'PasswordChanged'])

/** An account folded from the log, as it was at a moment. */
export async function accountAt(store: EventStore, stream: string, moment: Moment): Promise<AccountAt> {
  let at: AccountAt = { account: noAccount, revision: -1, time: '', registeredAt: '', passwordSetAt: '' }
  for (let from = 0n; ; ) {
    const page = await store.readStream(stream, { from, limit: pageOfEvents })
    for (const stored of page) {
      const event = toRecorded(stored)
      const { time } = event.metadata
      if (isAfter(moment, Number(event.revision), time)) return at
      if (!accounts.accepts(event))
        throw new Error(`expected an event of an account, ${stream} has ${event.type}`)
      const place = { revision: Number(event.revision), time }
      at = {
        ...place,
        account: accounts.evolve(at.account, event, place),
        registeredAt: event.type === 'UserRegistered' ? time : at.registeredAt,
        passwordSetAt: setsPassword.has(event.type) ? time : at.passwordSetAt,
      }
      from = event.revision + 1n
    }
    if (page.length < pageOfEvents) return at
  }
}

function isAfter(moment: Moment, revision: number, time: string): boolean {
  return 'revision' in moment ? revision > moment.revision : Date.parse(time) > Date.parse(moment.time)
}
