import { type Caller, field, tokensIn, told } from '../load/caller.ts'
import { confirmAddress } from '../load/credentials.ts'
import { inParallel } from '../load/in-parallel.ts'
import {
  editedFields,
  type Ledger,
  type Member,
  passwordWasChanged,
  passwordWasReset,
  type Session,
  sessionsEnded,
  settle,
} from '../load/ledger.ts'
import type { Doing } from '../load/members.ts'
import { confirmReset, wasEdited } from '../load/operations.ts'
import { finishOperation } from '../load/operators.ts'

const width = 24
const confirmations = 100

/** Passwords and sessions, which need no read model: the last acknowledged ones hold, the ones before are dead. */
export async function checkCredentials(doing: Doing, members: readonly Member[]): Promise<void> {
  const { caller, ledger } = doing
  await inParallel(members, width, async member => {
    await endOperation(doing, member)
    await checkPassword(caller, ledger, member)
    await endAgain(caller, ledger, member)
    await checkSessions(caller, ledger, member)
    await editAgain(caller, ledger, member)
    await useMails(doing, member)
  })
}

/** What an operator began is ended: by the tool again, which has no excuse any more. */
async function endOperation(doing: Doing, member: Member): Promise<void> {
  const failure = await finishOperation(doing, member)
  if (failure !== null) doing.ledger.violations.push(failure)
}

async function useMails(doing: Doing, member: Member): Promise<void> {
  const { ledger } = doing
  if (member.reset === 'mail is due') await confirmReset(doing, member)
  if (member.reset === 'mail is due')
    ledger.violations.push(`reset of ${member.username}: the mail that was due never came`)
  // Asked again: it has a key.
  for (let tries = 0; member.newAddress !== null && tries < confirmations; tries++)
    await confirmAddress(doing, member)
  if (member.newAddress !== null)
    ledger.violations.push(
      `address of ${member.username}: expected ${member.newAddress}, it never came to be`,
    )
}

/** An end of sessions that got no answer is asked for again; from then on it counts. */
async function endAgain(caller: Caller, ledger: Ledger, member: Member): Promise<void> {
  for (const session of member.ending) {
    const json = { refresh: session.refresh }
    const reply = await caller.insist('POST', '/api/token/revoke/', { json })
    if (reply?.status !== 200) ledger.violations.push(`logout of ${member.username} again: ${told(reply)}`)
  }
  sessionsEnded(member, member.ending)
  member.ending = []
}

/** An edit with a key that got no answer is sent again until it has one. */
async function editAgain(caller: Caller, ledger: Ledger, member: Member): Promise<void> {
  const access = member.sessions.at(-1)?.access
  if (access === undefined) return
  const path = `/api/users/${member.username}/`
  for (const { field: name, value, key } of member.unanswered) {
    const reply = await caller.insist('PUT', path, { json: { [name]: value }, access, key })
    if (reply?.status === 200 && field(reply, name) === value) wasEdited(ledger, member, name, value)
    else
      ledger.violations.push(
        `edit of ${name} of ${member.username} to ${value} again with its key: ${told(reply)}`,
      )
  }
  member.unanswered = []
}

async function checkPassword(caller: Caller, ledger: Ledger, member: Member): Promise<void> {
  const { username } = member
  const { maybe } = member.password
  if (maybe !== null) {
    const reply = await caller.insist('POST', '/api/token/obtain/', { json: { username, password: maybe } })
    const { changingIn } = member
    if (reply?.status !== 200) member.password.maybe = null
    else if (changingIn) passwordWasChanged(ledger, member, maybe, changingIn)
    else {
      passwordWasReset(member, maybe)
      ledger.counts.resets++
    }
    member.changingIn = null
  }
  const password = member.password.sure
  const reply = await caller.insist('POST', '/api/token/obtain/', { json: { username, password } })
  if (reply?.status !== 200) {
    ledger.violations.push(`login of ${username} with the acknowledged password: ${told(reply)}`)
    return
  }
  if (member.former !== null) await expectRefused(caller, ledger, member, member.former)
  member.former = null
  member.sessions.push(tokensIn(reply))
}

async function expectRefused(
  caller: Caller,
  ledger: Ledger,
  member: Member,
  password: string,
): Promise<void> {
  const json = { username: member.username, password }
  const reply = await caller.insist('POST', '/api/token/obtain/', { json })
  if (reply?.status !== 401)
    ledger.violations.push(
      `login of ${member.username} with the password before the last one: ${told(reply)}`,
    )
}

async function checkSessions(caller: Caller, ledger: Ledger, member: Member): Promise<void> {
  const alive: Session[] = []
  for (const { refresh } of member.sessions) {
    const reply = await caller.insist('POST', '/api/token/refresh/', { json: { refresh } })
    if (reply?.status === 200) alive.push(tokensIn(reply))
    else ledger.violations.push(`a session of ${member.username} refreshed: ${told(reply)}`)
  }
  member.sessions = alive
  for (const { refresh, access } of member.ended) {
    const refreshed = await caller.insist('POST', '/api/token/refresh/', { json: { refresh } })
    const path = `/api/users/${member.username}/`
    const edited = await caller.insist('PUT', path, { json: { bio: 'must not be' }, access })
    if (refreshed?.status !== 401 || edited?.status !== 401)
      ledger.violations.push(
        `a session of ${member.username} that was ended: ${told(refreshed)}, then ${told(edited)}`,
      )
  }
  member.ended = []
}

/** What everybody, and the owner, is shown, once the read models have caught up. */
export async function checkProfiles({ caller, ledger }: Doing, members: readonly Member[]): Promise<void> {
  await inParallel(members, width, async member => {
    const access = member.sessions.at(-1)?.access
    const path = `/api/users/${member.username}/`
    const reply = await caller.insist('GET', path, access === undefined ? {} : { access })
    if (reply?.status !== 200) {
      ledger.violations.push(`profile of ${member.username}: ${told(reply)}`)
      return
    }
    if (access !== undefined && field(reply, 'email') !== member.address)
      ledger.violations.push(
        `address of ${member.username}: expected ${member.address}, found ${field(reply, 'email')}`,
      )
    for (const name of editedFields) {
      const { sure, maybe } = member.fields[name]
      if (!settle(member.fields[name], field(reply, name)))
        ledger.violations.push(
          `${name} of ${member.username}: expected ${sure}${maybe === null ? '' : ` or ${maybe}`}, found ${field(reply, name)}`,
        )
    }
    const found = await caller.insist('GET', `/api/users/?query=${member.username}`)
    if (!Array.isArray(found?.body) || found.body.length !== 1)
      ledger.violations.push(`search for ${member.username}: expected one, ${told(found)}`)
  })
}
