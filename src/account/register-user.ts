import { type Actor, noStream, type Revision, RevisionConflict } from '../event-store/event-store.ts'
import {
  type ActiveAccount,
  registerUser as decideRegistration,
  evolve,
  noAccount,
  requireActive,
} from './account.ts'
import type { CommandContext, NewUser, OwnProfile, Written } from './accounts.ts'
import { accountStream } from './aggregates.ts'
import { DomainError, type FieldProblem, Overloaded } from './domain-error.ts'
import type { Intent } from './handle.ts'
import { passwordProblems } from './password-rules.ts'
import { tellOfWantedEmail } from './tell-of-wanted-email.ts'
import { intentOf, type WriteSide, whenVisible } from './write-side.ts'

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
 * free to be had. Throws `invalid_fields` if a name was taken meanwhile. Where addresses are hidden, a taken one is left
 * out, and its owner is told.
 */
export async function registerUser(
  side: WriteSide,
  user: NewUser,
  context: CommandContext,
): Promise<Written<OwnProfile>> {
  const { password, ...shown } = user
  const passwordHash = await side.hasher.hash(password, context.deadline)
  const ifEmailTaken = side.settings.hideUnknownEmails ? 'leave out' : 'refuse'
  const registered = await claimAndRegister(side, { ...shown, passwordHash }, context, { ifEmailTaken })
  const { account, revision } = registered
  return whenVisible(side, account, { stream: accountStream(account.userId), revision })
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
  for (;;) {
    const intent = intentOf('register', 'system', context)
    const userId = await side.nextUserId(intent)
    const registration = { ...intent, actor: actor ?? userId }
    const stream = accountStream(userId)
    const email = await claimBoth(side, user, stream, registration, ifEmailTaken)
    const decided = decideRegistration(noAccount, { userId, ...user, email })
    const [event] = decided
    if (!event) throw new Error('expected an event of a registration, found none')
    try {
      const { revision } = await side.handler.appendAt(stream, event, noStream, '', registration)
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
async function claimBoth(
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
    await tellOfWantedEmail(side, { email, for: 'registration' }, intent)
    return ''
  }
  await side.claims.abandon(stream, noStream, '', intent)
  throw new DomainError('invalid_fields', [{ field: 'email', code: 'email_taken' }])
}
