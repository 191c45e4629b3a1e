import { type ActiveAccount, type AskingSession, requireActive } from './account.ts'
import type { AccessClaims, CommandContext } from './accounts.ts'
import { accountStream, accounts } from './aggregates.ts'
import { Overloaded } from './domain-error.ts'
import { askingSince } from './end-sessions.ts'
import type { AccountEvent } from './events.ts'
import { intentOf, type WriteSide } from './write-side.ts'

/** Whose password was given, in which session, and whether it was the right one. */
export type Proof = { account: ActiveAccount; asking: AskingSession; isRight: boolean }

type Decide = (account: ActiveAccount, now: string) => AccountEvent[]

/**
 * Handles a command of a user who gives the password again. `prepare` throws what speaks against it, a wrong password
 * too, and says what to decide; it is asked again if the account got another hash meanwhile.
 */
export async function handleProven(
  side: WriteSide,
  claims: AccessClaims,
  command: { name: string; password: string },
  context: CommandContext,
  prepare: (proof: Proof) => Promise<Decide>,
): Promise<void> {
  const stream = accountStream(claims.userId)
  const { sessionId } = claims
  const asking = { sessionId, accountRevision: await askingSince(side, sessionId, context) }
  for (;;) {
    const { state } = await side.handler.load(accounts, stream, context.deadline)
    const account = requireActive(state)
    const isRight = await side.hasher.verify(account.passwordHash, command.password, context.deadline)
    const decide = await prepare({ account, asking, isRight })
    const attempt = { isStale: false }
    const intent = intentOf(command.name, claims.userId, context)
    await side.handler.handle(accounts, stream, intent, (current, _revision, now) => {
      const active = requireActive(current)
      attempt.isStale = active.passwordHash !== account.passwordHash
      return attempt.isStale ? [] : decide(active, now)
    })
    if (!attempt.isStale) return
    if (performance.now() > context.deadline) throw new Overloaded('proved a password until the deadline')
  }
}
