import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Call, field, type Reply, tokensIn, told } from './caller.ts'
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
import { type Doing, newAttempt, newPassword, pick, unique, withMember } from './members.ts'

/** In a hundred. */
const lostAnswers = 20
/** Of which nobody is erased. */
const fewMembers = 20
/** In a hundred: commands that are sent with a key, and again until they are answered. */
const keyed = 50
const againAfterMs = 50

export async function register(doing: Doing): Promise<void> {
  const { ledger } = doing
  const attempt = newAttempt()
  const key = newKey()
  const reply = await commandOnce(doing, 'POST', '/api/user/create/', { json: attempt, key })
  if (!reply) ledger.unresolved.push({ ...attempt, key })
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
  const { ledger } = doing
  const name = pick(editedFields) ?? 'bio'
  await withMember(doing, { what: name }, async member => {
    if (member.fields[name].maybe !== null) return
    const session = pick(member.sessions) ?? (await login(doing, member))
    if (!session) return
    const value = unique(name)
    member.fields[name].maybe = value
    const path = `/api/users/${member.username}/`
    const { access } = session
    const key = newKey()
    const reply = await commandOnce(doing, 'PUT', path, { json: { [name]: value }, access, key })
    if (!reply) {
      if (key !== null) member.unanswered.push({ field: name, value, key })
      return
    }
    if (reply.status !== 200 || field(reply, name) !== value) {
      ledger.violations.push(`edit of ${name} of ${member.username} to ${value}: ${told(reply)}`)
      return
    }
    wasEdited(ledger, member, name, value)
    if (reply.headers['roster-visible'] === undefined) await expectVisible(doing, member, name, value, access)
  })
}

/**
 * Sends a command: with a key again until it is answered or it is time to give up, and now and then though it was
 * answered. Both answers must be the same, as it is done once.
 */
async function commandOnce(
  { caller, ledger, giveUp }: Doing,
  method: 'POST' | 'PUT',
  path: string,
  call: Call,
): Promise<Reply> {
  let reply = await caller.call(method, path, call)
  if (call.key === null) return reply
  while (!reply && !giveUp()) {
    await pause(againAfterMs)
    reply = await caller.call(method, path, call)
  }
  if (!reply || randomInt(100) >= lostAnswers) return reply
  const again = await caller.call(method, path, call)
  if (again && (again.status !== reply.status || again.text !== reply.text))
    ledger.violations.push(
      `${method} ${path} again with its key: expected ${told(reply)}, found ${told(again)}`,
    )
  return reply
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
  await withMember(doing, { what: 'login' }, member => login(doing, member))
}

export async function login({ caller, ledger }: Doing, member: Member) {
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
  await withMember(doing, { what: 'refresh' }, async member => {
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
  const isFresh = ({ reset }: Member) => reset === 'none'
  await withMember(doing, { what: 'reset', alone: true, isFit: isFresh }, async member => {
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
  await withMember(doing, { what: 'erase', alone: true }, async member => {
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

export function registered(ledger: Ledger, attempt: Attempt): Member {
  const member = newMember(attempt)
  ledger.members.push(member)
  ledger.counts.registrations++
  return member
}

/** Notes an acknowledged edit. */
export function wasEdited(ledger: Ledger, member: Member, field: EditedField, value: string): void {
  member.fields[field] = { sure: value, maybe: null }
  ledger.edits.push({ username: member.username, field, value })
  ledger.counts.edits++
}

const newKey = () => (randomInt(100) < keyed ? randomUUID() : null)
