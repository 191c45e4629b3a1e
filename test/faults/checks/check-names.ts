import { type Caller, field, told } from '../load/caller.ts'
import { inParallel } from '../load/in-parallel.ts'
import type { Attempt, Ledger } from '../load/ledger.ts'
import { newAttempt } from '../load/members.ts'
import { registered } from '../load/operations.ts'

const width = 24

/**
 * Every name of a registration that got no answer can be had, or is owned: then by that very attempt, and whole.
 * Nobody is left out: what an attempt did not get is registered anew.
 */
export async function resolveAttempts(ledger: Ledger, caller: Caller): Promise<void> {
  const open = ledger.unresolved.splice(0)
  await inParallel(open, width, attempt => sendAgain(attempt, ledger, caller))
  const unresolved = open.filter(({ key }) => typeof key !== 'string')
  const owners = new Set<Attempt>()
  await inParallel(unresolved, width, async attempt => {
    const { username, password } = attempt
    const reply = await caller.insist('POST', '/api/token/obtain/', { json: { username, password } })
    if (reply?.status === 200) owners.add(attempt)
    else if (reply?.status !== 401) ledger.violations.push(`login of the attempt ${username}: ${told(reply)}`)
  })
  for (const owner of owners) registered(ledger, owner)
  reportSharedNames(ledger)

  const owned = ownedNames(ledger)
  const free = unresolved.filter(attempt => !owners.has(attempt))
  // A contested name appears in several attempts: it is to be had once.
  const wanted = { username: new Set<string>(), email: new Set<string>() }
  const trials = free.map(attempt => {
    const trial = newAttempt()
    for (const name of ['username', 'email'] as const) {
      if (owned.has(attempt[name]) || wanted[name].has(attempt[name])) continue
      wanted[name].add(attempt[name])
      trial[name] = attempt[name]
    }
    return trial
  })
  await inParallel(trials, width, async trial => {
    const reply = await caller.insist('POST', '/api/user/create/', { json: trial })
    // It may have been done at a first try that got no answer.
    if (reply?.status === 201 || (reply && (await isOwned(trial, caller)))) registered(ledger, trial)
    else
      ledger.violations.push(
        `names of an attempt, ${trial.username} and ${trial.email}, again: ${told(reply)}`,
      )
  })
  await inParallel([...owners], width, async owner => {
    const { username, email } = owner
    const reply = await caller.insist('POST', '/api/user/create/', {
      json: { ...newAttempt(), username, email },
    })
    if (
      reply?.status !== 400 ||
      field(reply, 'username') === undefined ||
      field(reply, 'email') === undefined
    )
      ledger.violations.push(`both names of ${username} registered again: ${told(reply)}`)
  })
}

/** What has a key is sent again as it was, done or not: it gets its answer, and there is one account. */
async function sendAgain({ key, ...attempt }: Attempt, ledger: Ledger, caller: Caller): Promise<void> {
  if (typeof key !== 'string') return
  const reply = await caller.insist('POST', '/api/user/create/', { json: attempt, key })
  if (reply?.status === 201 && field(reply, 'username') === attempt.username) registered(ledger, attempt)
  else ledger.violations.push(`registration of ${attempt.username} again with its key: ${told(reply)}`)
}

async function isOwned({ username, password }: Attempt, caller: Caller): Promise<boolean> {
  const reply = await caller.insist('POST', '/api/token/obtain/', { json: { username, password } })
  return reply?.status === 200
}

function ownedNames(ledger: Ledger): Set<string> {
  return new Set(ledger.members.flatMap(({ username, email }) => [username, email]))
}

function reportSharedNames(ledger: Ledger): void {
  const names = ledger.members.flatMap(({ username, email }) => [username, email])
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) ledger.violations.push(`${name} has two owners`)
    seen.add(name)
  }
}
