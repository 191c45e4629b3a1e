import { isDeepStrictEqual } from 'node:util'
import { type Actor, noStream, type Revision, RevisionConflict } from '../event-store/event-store.ts'
import {
  type ActiveAccount,
  registerUser as decideRegistration,
  evolve,
  noAccount,
  type RegisteredAccount,
  requireActive,
  requireRegistered,
} from './account.ts'
import type { CommandContext, NewUser, OwnProfile, Written } from './accounts.ts'
import { accountStream } from './aggregates.ts'
import { DomainError, type FieldProblem, Overloaded } from './domain-error.ts'
import { DoneMeanwhile, isByKey } from './earlier-command.ts'
import type { UserRegistered } from './events.ts'
import type { Intent } from './handle.ts'
import { commandKey, once, requireSame } from './once-by-key.ts'
import { passwordProblems } from './password-rules.ts'
import type { Recorded } from './recorded.ts'
import { tellOfWantedEmail } from './tell-of-wanted-email.ts'
import { toRecorded } from './upcasters.ts'
import { intentOf, type WriteSide, whenVisible } from './write-side.ts'

/** Part of the ids of events. */
const name = 'register'

/**
 * What is wrong with a registration beyond the shape of its fields; looks only at what is given. Where addresses are
 * hidden, a taken one is nothing wrong.
 */
export async function registrationProblems(
  side: WriteSide,
  user: Partial<NewUser>,
  context: CommandContext,
): Promise<FieldProblem[]> {
  const intent = intentOf('look at names', 'system', context)
  const [usernameTaken, emailTaken] = await Promise.all([
    user.username ? side.claims.isTaken('username', user.username, intent) : false,
    user.email && !side.settings.hideUnknownEmails ? side.claims.isTaken('email', user.email, intent) : false,
  ])
  const problems: FieldProblem[] = []
  if (usernameTaken) problems.push({ field: 'username', code: 'username_taken' })
  if (emailTaken) problems.push({ field: 'email', code: 'email_taken' })
  if (user.password !== undefined) {
    const { username = '', email = '', firstName = '', lastName = '' } = user
    const found = passwordProblems(user.password, { username, email, firstName, lastName })
    problems.push(...found.map(problem => ({ field: 'password', ...problem })))
  }
  return problems
}

/**
 * Claims the username, then the address, then registers; whichever step fails or is cut off, both names stay
 * free to be had. Throws `invalid_fields` with all that is wrong beyond the shape of the fields. Where addresses are hidden,
 * a taken one is left out, and its owner is told.
 */
export async function registerUser(
  side: WriteSide,
  user: NewUser,
  context: CommandContext,
): Promise<Written<OwnProfile>> {
  const { idempotencyKey: key, deadline } = context
  if (key === undefined) return registerFirst(side, user, context)
  return once(side, `register ${key}`, deadline, {
    look: () => registeredBy(side, key, deadline),
    found: earlier => earlier,
    async again({ event, account, revision }) {
      requireSame(await isSameUser(side, event, user, context))
      return whenVisible(side, account, { stream: accountStream(account.userId), revision })
    },
    first: () => registerFirst(side, user, context),
  })
}

async function registerFirst(
  side: WriteSide,
  user: NewUser,
  context: CommandContext,
): Promise<Written<OwnProfile>> {
  const problems = await registrationProblems(side, user, context)
  if (problems.length > 0) throw new DomainError('invalid_fields', problems)
  const { password, ...shown } = user
  const passwordHash = await side.hasher.hash(password, context.deadline)
  const ifEmailTaken = side.settings.hideUnknownEmails ? 'leave out' : 'refuse'
  const registered = await claimAndRegister(side, { ...shown, passwordHash }, context, { ifEmailTaken })
  const { account, revision } = registered
  return whenVisible(side, account, { stream: accountStream(account.userId), revision })
}

type Registration = { event: Recorded<UserRegistered>; account: RegisteredAccount; revision: Revision }

/** The registration that was made with a key, as it was then; null if there is none, or if it was erased. */
async function registeredBy(side: WriteSide, key: string, deadline: number): Promise<Registration | null> {
  const holder = await side.claims.holder('registration', key, deadline)
  if (!holder) return null
  const [first] = await side.store.readStream(holder.stream, { limit: 1, deadline })
  const event = first && toRecorded(first)
  if (event?.type !== 'UserRegistered') return null
  const { revision, metadata } = event
  const account = evolve(noAccount, event, { revision: Number(revision), time: metadata.time })
  return { event, account: requireRegistered(account), revision }
}

/** The password last: it takes long, and nobody gets to try one who does not know all the rest. */
async function isSameUser(
  side: WriteSide,
  event: Recorded<UserRegistered>,
  { password, email, ...user }: NewUser,
  { idempotencyKey = '', deadline }: CommandContext,
): Promise<boolean> {
  const { userId: _, passwordHash, email: given, ...registered } = event.data
  const isSameEmail = isByKey(event, commandKey(name, idempotencyKey))
    ? side.settings.hideUnknownEmails || given === email
    : isByKey(event, registrationKey(idempotencyKey, email))
  return (
    isSameEmail && isDeepStrictEqual(registered, user) && side.hasher.verify(passwordHash, password, deadline)
  )
}

/**
 * The key of a registration's event. It tells the address too, which the event itself has not got if it was taken and
 * left out. The keys of old events are without it.
 */
function registrationKey(idempotencyKey: string, email: string): string {
  return `${commandKey(name, idempotencyKey)}, for: ${email}`
}

/** `actor`: who registers, if not the user. */
export type RegistrationOptions = { actor?: Actor; ifEmailTaken?: 'refuse' | 'leave out' }

/** Registration after hashing: the rule for names with all its steps. */
export async function claimAndRegister(
  side: Pick<WriteSide, 'claims' | 'handler' | 'nextUserId' | 'now'>,
  user: Omit<NewUser, 'password'> & { passwordHash: string },
  context: CommandContext,
  { actor, ifEmailTaken = 'refuse' }: RegistrationOptions = {},
): Promise<{ account: ActiveAccount; revision: Revision }> {
  const { idempotencyKey } = context
  for (;;) {
    const intent = intentOf(name, 'system', context)
    const userId = await side.nextUserId(intent)
    const registration = { ...intent, actor: actor ?? userId }
    const stream = accountStream(userId)
    const email = await claimNames(side, user, stream, registration, ifEmailTaken)
    if (idempotencyKey !== undefined) await claimKey(side, idempotencyKey, stream, registration)
    const decided = decideRegistration(noAccount, { userId, ...user, email })
    const [event] = decided
    if (!event) throw new Error('expected an event of a registration, found none')
    const keyed =
      idempotencyKey === undefined
        ? registration
        : { ...registration, key: registrationKey(idempotencyKey, user.email), keyIsNew: false }
    try {
      const { revision } = await side.handler.appendAt(stream, event, noStream, '', keyed)
      const place = { revision: Number(revision), time: new Date(side.now()).toISOString() }
      return { account: requireActive(evolve(noAccount, event, place)), revision }
    } catch (error) {
      // Somebody waited for our claims for too long, and took them over.
      if (!(error instanceof RevisionConflict)) throw error
      if (performance.now() > context.deadline) throw new Overloaded('registered until the deadline')
    }
  }
}

/** The address that could be claimed, or ''. */
async function claimNames(
  side: Pick<WriteSide, 'claims' | 'handler'>,
  user: { username: string; email: string },
  stream: string,
  intent: Intent,
  ifEmailTaken: 'refuse' | 'leave out',
): Promise<string> {
  const { email } = user
  const claimant = { stream, at: noStream }
  if (!(await side.claims.claim('username', user.username, claimant, intent))) {
    throw new DomainError('invalid_fields', [{ field: 'username', code: 'username_taken' }])
  }
  if (email === '' || (await side.claims.claim('email', email, claimant, intent))) return email
  if (ifEmailTaken === 'leave out') {
    await tellOfWantedEmail(side, email, intent)
    return ''
  }
  await side.claims.abandon(stream, noStream, '', intent)
  throw new DomainError('invalid_fields', [{ field: 'email', code: 'email_taken' }])
}

/** After the names, so that a registration that is refused has not used its key up. */
async function claimKey(
  side: Pick<WriteSide, 'claims'>,
  idempotencyKey: string,
  stream: string,
  intent: Intent,
): Promise<void> {
  if (await side.claims.claim('registration', idempotencyKey, { stream, at: noStream }, intent)) return
  await side.claims.abandon(stream, noStream, '', intent)
  throw new DoneMeanwhile('expected a new registration, one was made with its key meanwhile')
}
