import { randomBytes, randomInt } from 'node:crypto'
import { type Caller, field, tokensIn, told } from './caller.ts'
import {
  type Attempt,
  type EditedField,
  editedFields,
  type Ledger,
  type Member,
  newMember,
  passwordWasReset,
  wasErased,
} from './ledger.ts'
import type { Outbox } from './outbox.ts'

/** What an operation works with. `giveUp`: whether to stop waiting for what may never come. */
export type Doing = { caller: Caller; ledger: Ledger; outbox: Outbox; giveUp(): boolean }

/** In a hundred. */
const lostAnswers = 20
/** Of which nobody is erased. */
const fewMembers = 20
/** What waits for all the rest, and all the rest for it. */
const alone = ['reset', 'erase']

export async function register({ caller, ledger }: Doing): Promise<void> {
  const attempt = newAttempt()
  const reply = await caller.call('POST', '/api/user/create/', { json: attempt })
  if (!reply) ledger.unresolved.push(attempt)
  else if (reply.status === 201) registered(ledger, attempt)
  else ledger.violations.push(`registration of the new ${attempt.username}: ${told(reply)}`)
}

/** Several registrations at once of one username, or of one address: one must get it, and the others be told. */
export async function contest({ caller, ledger }: Doing): Promise<void> {
  const shared = newAttempt()
  const name = randomInt(2) === 0 ? 'username' : 'email'
  const attempts = Array.from({ length: 2 + randomInt(3) }, () => ({ ...newAttempt(), [name]: shared[name] }))
  const replies = await Promise.all(
    attempts.map(attempt => caller.call('POST', '/api/user/create/', { json: attempt })),
  )
  attempts.forEach((attempt, n) => {
    const reply = replies[n] ?? null
    if (!reply) ledger.unresolved.push(attempt)
    else if (reply.status === 201) registered(ledger, attempt)
    else if (reply.status !== 400 || field(reply, name) === undefined)
      ledger.violations.push(`contested ${name} ${shared[name]}: ${told(reply)}`)
  })
  const winners = replies.filter(reply => reply?.status === 201).length
  if (winners > 1 || (winners === 0 && !replies.includes(null)))
    ledger.violations.push(`contested ${name} ${shared[name]}: expected one owner, found ${winners}`)
}

export async function edit(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  const name = pick(editedFields) ?? 'bio'
  await withMember(doing, name, async member => {
    if (member.fields[name].maybe !== null) return
    const session = pick(member.sessions) ?? (await login(doing, member))
    if (!session) return
    const value = unique(name)
    member.fields[name].maybe = value
    const path = `/api/users/${member.username}/`
    const { access } = session
    const reply = await caller.call('PUT', path, { json: { [name]: value }, access })
    if (!reply) return
    if (reply.status !== 200 || field(reply, name) !== value) {
      ledger.violations.push(`edit of ${name} of ${member.username} to ${value}: ${told(reply)}`)
      return
    }
    member.fields[name] = { sure: value, maybe: null }
    ledger.edits.push({ username: member.username, field: name, value })
    ledger.counts.edits++
    if (reply.headers['roster-visible'] === undefined) await expectVisible(doing, member, name, value, access)
  })
}

async function expectVisible(
  { caller, ledger }: Doing,
  member: Member,
  name: EditedField,
  value: string,
  access: string,
) {
  const seen = await caller.call('GET', `/api/users/${member.username}/`, { access })
  if (seen && (seen.status !== 200 || field(seen, name) !== value))
    ledger.violations.push(`${member.username} read after the edit of ${name} to ${value}: ${told(seen)}`)
}

export async function logIn(doing: Doing): Promise<void> {
  await withMember(doing, 'login', member => login(doing, member))
}

async function login({ caller, ledger }: Doing, member: Member) {
  const json = { username: member.username, password: member.password.sure }
  const reply = await caller.call('POST', '/api/token/obtain/', { json })
  if (!reply) return null
  if (reply.status !== 200) {
    ledger.violations.push(`login of ${member.username}: ${told(reply)}`)
    return null
  }
  const session = tokensIn(reply)
  member.sessions.push(session)
  ledger.counts.logins++
  return session
}

export async function refresh(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  await withMember(doing, 'refresh', async member => {
    const session = pick(member.sessions)
    if (!session) return
    const reply = await caller.call('POST', '/api/token/refresh/', { json: { refresh: session.refresh } })
    // Without an answer the client still has the old token, and comes with that one again.
    if (!reply) return
    if (reply.status !== 200) {
      ledger.violations.push(`refresh of a session of ${member.username}: ${told(reply)}`)
      member.sessions.splice(member.sessions.indexOf(session), 1)
      return
    }
    ledger.counts.refreshes++
    // Some answers get lost even where nobody is killed: then too the client comes with the old token.
    if (randomInt(100) >= lostAnswers) Object.assign(session, tokensIn(reply))
  })
}

/** Asks for a reset, waits for the mail, uses its token. */
export async function resetPassword(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  const fresh = ledger.members.filter(member => member.reset === 'none' && member.busy.size === 0)
  await withMember({ ...doing, ledger: { ...ledger, members: fresh } }, 'reset', async member => {
    const reply = await caller.call('POST', '/api/password/reset/', { json: { email: member.email } })
    if (!reply) return
    if (reply.status !== 200) {
      ledger.violations.push(`reset of ${member.username} asked for: ${told(reply)}`)
      return
    }
    member.reset = 'mail is due'
    await confirmReset(doing, member)
  })
}

/** The second half of a reset; nothing happens if the mail does not come in time. */
export async function confirmReset(doing: Doing, member: Member): Promise<void> {
  const { caller, ledger, outbox, giveUp } = doing
  const token = await outbox.token(member.email, giveUp)
  if (token === null) return
  const password = newPassword()
  member.password.maybe = password
  const reply = await caller.call('POST', '/api/password/reset/confirm/', { json: { password, token } })
  if (!reply) return
  if (reply.status !== 200) {
    ledger.violations.push(`reset of ${member.username} by the token mailed: ${told(reply)}`)
    return
  }
  passwordWasReset(member, password)
  ledger.counts.resets++
}

/** Somebody wants to be forgotten. */
export async function erase(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  if (ledger.members.length < fewMembers) return
  await withMember(doing, 'erase', async member => {
    const session = pick(member.sessions)
    if (!session) return
    member.mayBeErased = true
    const asked = { json: { password: member.password.sure }, access: session.access }
    const reply = await caller.call('DELETE', `/api/users/${member.username}/`, asked)
    if (!reply) return
    if (reply.status === 204) wasErased(ledger, member)
    else ledger.violations.push(`erasure of ${member.username}: ${told(reply)}`)
  })
}

/** Does it to some member to whom nothing is being done that it could disturb. */
async function withMember(
  { ledger }: Doing,
  what: string,
  use: (member: Member) => Promise<unknown>,
): Promise<void> {
  const free = ledger.members.filter(
    // Where a reset or an erasure got no answer, it is not known what else to expect.
    ({ busy, password, mayBeErased }) =>
      password.maybe === null &&
      !mayBeErased &&
      (alone.includes(what) ? busy.size === 0 : !busy.has(what) && !alone.some(each => busy.has(each))),
  )
  const member = pick(free)
  if (!member) return
  member.busy.add(what)
  member.touched = true
  try {
    await use(member)
  } finally {
    member.busy.delete(what)
  }
}

export function registered(ledger: Ledger, attempt: Attempt): Member {
  const member = newMember(attempt)
  ledger.members.push(member)
  ledger.counts.registrations++
  return member
}

export function newAttempt(): Attempt {
  const name = randomBytes(5).toString('hex')
  return { username: `u${name}`, email: `${unique('m')}@faults.example`, password: newPassword() }
}

const newPassword = () => randomBytes(18).toString('base64url')
const unique = (prefix: string) => `${prefix}-${randomBytes(8).toString('hex')}`
const pick = <T>(items: readonly T[]): T | undefined =>
  items.length === 0 ? undefined : items[randomInt(items.length)]
