import { randomBytes, randomUUID } from 'node:crypto'
import type { EventStore, Revision } from '../event-store/event-store.ts'
import type { RegisteredAccount } from './account.ts'
import type { CommandContext, OwnProfile, Written } from './accounts.ts'
import type { Claims } from './claims.ts'
import type { Handler, Intent } from './handle.ts'
import type { PasswordHasher } from './password-hashing.ts'
import type { Tokens } from './tokens.ts'

/** What the commands work with. */
export type WriteSide = {
  store: EventStore
  handler: Handler
  claims: Claims
  hasher: PasswordHasher
  tokens: Tokens
  nextUserId(intent: Intent): Promise<number>
  /** Whether the read models show an account's revision, now or within the configured wait. */
  waitUntilVisible(userId: number, stream: string, revision: Revision): Promise<boolean>
  /** The same for the list of sessions. */
  waitUntilSessionVisible(stream: string, revision: Revision): Promise<boolean>
  /** The clock, in milliseconds since 1970. */
  now(): number
  /** Told of work that failed after its answer was decided. */
  warn(error: unknown, message: string): void
  settings: {
    accessTokenTtlSeconds: number
    refreshTokenTtlSeconds: number
    resetTokenTtlSeconds: number
    emailTokenTtlSeconds: number
    refreshGraceSeconds: number
    /** Whether nobody is told that an address is somebody's. */
    hideUnknownEmails: boolean
  }
}

/** The intent of one command in a request: its events are its own, whatever else the request does. */
export function intentOf(command: string, actor: Intent['actor'], context: CommandContext): Intent {
  const { requestId, deadline } = context
  return { key: `${command} ${randomUUID()}`, keyIsNew: true, actor, requestId, deadline }
}

/** An id that nobody can guess, short enough for a token with it to fit on one line of a mail. */
export function randomId(): string {
  return randomBytes(16).toString('base64url')
}

/** The profile as its owner sees it. */
export function ownProfile(account: RegisteredAccount): OwnProfile {
  return { id: account.userId, username: account.username, email: account.email, ...account.profile }
}

/** The answer to a command whose result a client may read next: waits until the read models show it. */
export async function whenVisible(
  side: Pick<WriteSide, 'waitUntilVisible'>,
  account: RegisteredAccount,
  written: { stream: string; revision: Revision },
): Promise<Written<OwnProfile>> {
  const visible = await side.waitUntilVisible(account.userId, written.stream, written.revision)
  return { value: ownProfile(account), visible }
}
