import type { Revision } from '../event-store/event-store.ts'
import { type ActiveAccount, type AskingSession, isRegistered, requireActive } from './account.ts'
import type { AccessClaims, CommandContext } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { DomainError, type FieldProblem, Overloaded } from './domain-error.ts'
import { askingSince } from './end-sessions.ts'
import type { AccountEvent } from './events.ts'
import type { Intent } from './handle.ts'
import { onceByKey, requireSame } from './once-by-key.ts'
import type { WriteSide } from './write-side.ts'

/** Whose password was given, in which session, and whether it was the right one. */
export type Proof = { account: ActiveAccount; asking: AskingSession; isRight: boolean }

type Decide = (account: ActiveAccount, now: string, revision: Revision) => AccountEvent[]

export type ProvenCommand = {
  name: string
  password: string
  /**
   * Throws what speaks against the command, a wrong password too, and says what to decide; asked again if the account
   * got another hash meanwhile.
   */
  prepare(proof: Proof): Promise<Decide>
  /** Whether this is what was asked for when `event` was appended. */
  isSame(event: AccountEvent): boolean | Promise<boolean>
  /** The refusal if the password is not the right one. */
  wrongPassword: FieldProblem
}

/** Handles a command of a user who gives the password again; a repetition by its key gives it too. */
export function handleProven(
  side: WriteSide,
  claims: AccessClaims,
  { name, ...command }: ProvenCommand,
  context: CommandContext,
): Promise<void> {
  const stream = accountStream(claims.userId)
  const keyed = { name, actor: claims.userId, aggregate: accounts, stream }
  return onceByKey(side, keyed, context, {
    async again({ event, before }) {
      // So that a key is no way to try passwords: a wrong one is answered as ever. Of who was erased there is none.
      if (isRegistered(before.state)) {
        const { passwordHash } = before.state
        const isRight = await side.hasher.verify(passwordHash, command.password, context.deadline)
        if (!isRight) throw new DomainError('invalid_fields', [command.wrongPassword])
      }
      requireSame(await command.isSame(event))
    },
    first: intent => decideProven(side, claims, command, intent),
  })
}

async function decideProven(
  side: WriteSide,
  { userId, sessionId }: AccessClaims,
  command: Omit<ProvenCommand, 'name'>,
  intent: Intent,
): Promise<void> {
  const stream = accountStream(userId)
  const { deadline } = intent
  const asking = { sessionId, accountRevision: await askingSince(side, sessionId, intent) }
  for (;;) {
    const { state } = await side.handler.load(accounts, stream, deadline)
    const account = requireActive(state)
    const isRight = await side.hasher.verify(account.passwordHash, command.password, deadline)
    const decide = await command.prepare({ account, asking, isRight })
    const attempt = { isStale: false }
    await side.handler.handle(accounts, stream, intent, (current, revision, now) => {
      const active = requireActive(current)
      attempt.isStale = active.passwordHash !== account.passwordHash
      return attempt.isStale ? [] : decide(active, now, revision)
    })
    if (!attempt.isStale) return
    if (performance.now() > deadline) throw new Overloaded('proved a password until the deadline')
  }
}
