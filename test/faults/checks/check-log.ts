import type { ProfileFields } from '../../../src/account/events.ts'
import type { Recorded } from '../../../src/account/recorded.ts'
import type { EditedField, Ledger } from '../load/ledger.ts'

const storedAs: Record<EditedField, keyof ProfileFields> = {
  first_name: 'firstName',
  location: 'location',
  bio: 'bio',
}

/** The log itself is sound, and holds what was acknowledged once: no more, no less. */
export function checkLog(streams: ReadonlyMap<string, Recorded[]>, ledger: Ledger): void {
  const ids = new Set<string>()
  const registrations = new Counter()
  const edits = new Counter()
  const resets = new Counter()
  const changes = new Counter()
  const moves = new Counter()
  for (const [stream, events] of streams) {
    let username = ''
    events.forEach((event, n) => {
      const before = events[n - 1]
      if (ids.has(event.id))
        ledger.violations.push(`${stream} has the event ${event.id} that was there before`)
      ids.add(event.id)
      if (before && event.revision !== before.revision + 1n)
        ledger.violations.push(`${stream} has revision ${event.revision} after ${before.revision}`)
      if (before && event.metadata.time < before.metadata.time)
        ledger.violations.push(`${stream} has ${event.metadata.time} after ${before.metadata.time}`)
      if (event.type === 'UserRegistered') {
        username = event.data.username
        registrations.add(username)
        // An account may have none.
        if (event.data.email !== '') registrations.add(event.data.email)
      } else if (event.type === 'ProfileEdited') {
        for (const [field, name] of Object.entries(storedAs))
          if (event.data[name] !== undefined) edits.add(`${username} ${field} ${event.data[name]}`)
      } else if (event.type === 'PasswordReset') resets.add(username)
      else if (event.type === 'PasswordChanged') changes.add(username)
      else if (event.type === 'EmailChanged') moves.add(username)
    })
  }
  registrations.expectOnce(ledger, 'registrations of')
  edits.expectOnce(ledger, 'edits:')
  for (const { username, email, reset, passwordChanges, addressChanges } of ledger.members) {
    if (registrations.of(username) !== 1 || registrations.of(email) !== 1)
      ledger.violations.push(`${username} was registered, the log has no such event`)
    if (resets.of(username) !== (reset === 'done' ? 1 : 0))
      ledger.violations.push(`resets of ${username}: expected ${reset}, the log has ${resets.of(username)}`)
    changes.expect(ledger, username, passwordChanges, 'changes of the password of')
    moves.expect(ledger, username, addressChanges, 'changes of the address of')
  }
  for (const { username, field, value } of ledger.edits)
    if (edits.of(`${username} ${field} ${value}`) !== 1)
      ledger.violations.push(`the edit of ${field} of ${username} to ${value} is not in the log`)
  for (const { username, field, value } of ledger.refused)
    if (edits.of(`${username} ${field} ${value}`) > 0)
      ledger.violations.push(`the edit of ${field} of ${username} to ${value} was refused, and is in the log`)
  for (const rivals of ledger.rivals)
    if (rivals.every(({ username, field, value }) => edits.of(`${username} ${field} ${value}`) > 0))
      ledger.violations.push(`both edits of what was seen are in the log: ${JSON.stringify(rivals)}`)
}

class Counter {
  readonly #counts = new Map<string, number>()

  add(thing: string): void {
    this.#counts.set(thing, this.of(thing) + 1)
  }

  of(thing: string): number {
    return this.#counts.get(thing) ?? 0
  }

  expect(ledger: Ledger, thing: string, expected: number, what: string): void {
    const found = this.of(thing)
    if (found !== expected)
      ledger.violations.push(`${what} ${thing}: expected ${expected}, the log has ${found}`)
  }

  expectOnce(ledger: Ledger, what: string): void {
    for (const [thing, count] of this.#counts)
      if (count > 1) ledger.violations.push(`${what} ${thing}: expected one, the log has ${count}`)
  }
}
