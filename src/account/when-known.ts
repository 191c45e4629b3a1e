import { StoreUnavailable } from '../event-store/event-store.ts'
import type { Accounts } from './accounts.ts'

/**
 * The commands from the moment that the log answered for the first time; until then each throws StoreUnavailable.
 * `offline` is what needs no log.
 */
export function whenKnown(accounts: Promise<Accounts>, offline: Pick<Accounts, 'readAccessToken'>): Accounts {
  let known: Accounts | null = null
  accounts.then(
    opened => {
      known = opened
    },
    () => {},
  )
  return new Proxy(offline, {
    get(_offline, name: keyof Accounts) {
      if (name === 'readAccessToken') return offline.readAccessToken
      return (
        known?.[name] ??
        (async () => Promise.reject(new StoreUnavailable('the event log has not answered yet')))
      )
    },
  }) as Accounts
}
