import { expect } from 'chai'
import { type Account, evolve, noAccount } from '../../src/account/account.ts'
import { DomainError, type DomainErrorCode } from '../../src/account/domain-error.ts'
import type { AccountEvent } from '../../src/account/events.ts'

/** An account event and the second (of 2026-01-01 12:00 UTC) it happened; 0 if that does not matter. */
export type Past = AccountEvent | { event: AccountEvent; atSecond: number }

/** The ISO time so many seconds after 2026-01-01 12:00 UTC. */
export function second(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1, 12) + seconds * 1000).toISOString()
}

/** Folds events that happened into an account, revisions from 0. */
export function fold(past: readonly Past[]): Account {
  return past.reduce<Account>((account, entry, revision) => {
    const { event, atSecond } = 'event' in entry ? entry : { event: entry, atSecond: 0 }
    return evolve(account, event, { revision, time: second(atSecond) })
  }, noAccount)
}

/** `given(events).when(decision).then(events)`, or `.thenRefused(code)`, or `.thenNothing()`. */
export function given(...past: Past[]) {
  const account = fold(past)
  return {
    when(decide: (account: Account) => AccountEvent[]) {
      return {
        // biome-ignore lint/suspicious/noThenProperty: the word of given-when-then; nobody awaits this.
        then(...events: AccountEvent[]) {
          expect(decide(account)).to.deep.equal(events)
        },
        thenNothing() {
          expect(decide(account)).to.deep.equal([])
        },
        thenRefused(code: DomainErrorCode) {
          expect(() => decide(account))
            .to.throw(DomainError)
            .with.property('code', code)
        },
      }
    },
  }
}
