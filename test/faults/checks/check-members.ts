import { type Caller, field, tokensIn, told } from '../load/caller.ts'
import { inParallel } from '../load/in-parallel.ts'
import {
  editedFields,
  type Ledger,
  type Member,
  passwordWasReset,
  type Session,
  settle,
} from '../load/ledger.ts'
import { confirmReset, type Doing } from '../load/operations.ts'

const width = 24

/** Passwords and sessions, which need no read model: the last acknowledged ones hold, the ones before are dead. */
export async function checkCredentials(doing: Doing, members: readonly Member[]): Promise<void> {
  const { caller, ledger } = doing
  await inParallel(members, width, async member => {
    await checkPassword(caller, ledger, member)
    await checkSessions(caller, ledger, member)
    if (member.reset !== 'mail is due') return
    await confirmReset(doing, member)
    if (member.reset === 'mail is due')
      ledger.violations.push(`reset of ${member.username}: the mail that was due never came`)
  })
}

async function checkPassword(caller: Caller, ledger: Ledger, member: Member): Promise<void> {
  const { username } = member
  const { maybe } = member.password
  if (maybe !== null) {
    const reply = await caller.insist('POST', '/api/token/obtain/', { json: { username, password: maybe } })
    if (reply?.status === 200) {
      passwordWasReset(member, maybe)
      ledger.counts.resets++
    } else member.password.maybe = null
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
    ledger.violations.push(`login of ${member.username} with the password before the reset: ${told(reply)}`)
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
        `a session of ${member.username} that a reset ended: ${told(refreshed)}, then ${told(edited)}`,
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
