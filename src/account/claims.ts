import { randomUUID } from 'node:crypto'
import {
  type EventStore,
  noStream,
  type RecordedEvent,
  type Revision,
  RevisionConflict,
} from '../event-store/event-store.ts'
import { type Account, isRegistered, type RegisteredAccount } from './account.ts'
import { accounts } from './aggregates.ts'
import { Overloaded } from './domain-error.ts'
import type { NameClaimed } from './events.ts'
import type { Handler, Intent } from './handle.ts'
import { claimStream, emailKey, usernameKey } from './names.ts'
import type { Recorded } from './recorded.ts'
import { toRecorded } from './upcasters.ts'

/** `registration`: the idempotency key that a registration was made with, which belongs to the account it made. */
export type NameKind = 'username' | 'email' | 'registration'

/**
 * What a name's stream says. **Held**: the account in the claim's stream has the name. **Reserved**: it is the username
 * of somebody who was erased lately. **Open**: that stream is still where the claim found it, so its attempt may yet
 * succeed. **Free**: nobody can have it by an earlier claim.
 */
export type ClaimStatus =
  | { status: 'held'; account: RegisteredAccount; stream: string; accountRevision: Revision }
  | { status: 'reserved' }
  | { status: 'open'; stream: string; at: Revision; accountTime: string; revision: Revision }
  | { status: 'free'; revision: Revision; time: string }

/** A stream that is to take a name with its event after revision `at`. */
type Claimant = { stream: string; at: Revision }

const takeOverAfterMs = 2000
const lookAgainMs = 5
const lastClaims = 100
const realTime = {
  monotonicNow: () => performance.now(),
  pause: (milliseconds: number) => new Promise<void>(resolve => setTimeout(resolve, milliseconds)),
}

export type Claims = ReturnType<typeof createClaims>

/**
 * The rule that makes usernames, addresses and the keys of registrations unique, over the streams `username-<digest>`,
 * `email-<digest>` and `registration-<digest>`.
 */
export function createClaims(options: {
  store: EventStore
  handler: Handler
  namesKey: Buffer
  /** The clock, in milliseconds since 1970: by it a reserved name becomes free. */
  now(): number
  /** How waiting for others is timed, in milliseconds. */
  time?: { monotonicNow(): number; pause(milliseconds: number): Promise<void> }
}) {
  const { store, handler, namesKey } = options
  const time = options.time ?? realTime

  function streamOf(kind: NameKind, name: string): string {
    switch (kind) {
      case 'username':
        return claimStream(kind, usernameKey(name), namesKey)
      case 'email':
        return claimStream(kind, emailKey(name), namesKey)
      case 'registration':
        return claimStream(kind, name, namesKey)
    }
  }

  function has(account: Account, kind: NameKind, stream: string): account is RegisteredAccount {
    if (!isRegistered(account)) return false
    // Its stream was fresh when the key was claimed for it: nothing else could register there.
    if (kind === 'registration') return true
    const name = kind === 'username' ? account.username : account.email
    return name !== '' && streamOf(kind, name) === stream
  }

  /** A stream takes one username ever, so a claim of one that led to an account is the claim of its name. */
  function isReserved(account: Account): boolean {
    return account.status === 'erased' && Date.parse(account.reservedUntil) > options.now()
  }

  async function look(kind: NameKind, stream: string, deadline: number): Promise<ClaimStatus> {
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1, deadline })
    if (!last) return { status: 'free', revision: noStream, time: '' }
    const claim = claimIn(last)
    const target = await handler.load(accounts, claim.data.stream, deadline)
    if (has(target.state, kind, stream)) {
      const { state, revision } = target
      return { status: 'held', account: state, stream: claim.data.stream, accountRevision: revision }
    }
    if (kind === 'username' && isReserved(target.state)) return { status: 'reserved' }
    if (target.revision === BigInt(claim.data.at)) {
      const { revision } = claim
      return {
        status: 'open',
        stream: claim.data.stream,
        at: target.revision,
        accountTime: target.time,
        revision,
      }
    }
    return { status: 'free', revision: claim.revision, time: claim.metadata.time }
  }

  /** Waits for an open claim of others; after two seconds by the own clock it takes the claim over. */
  async function settle(kind: NameKind, stream: string, intent: Intent, claimant?: Claimant) {
    let waitingFor = { revision: noStream, since: 0 }
    for (;;) {
      const found = await look(kind, stream, intent.deadline)
      if (found.status !== 'open') return found
      if (found.stream === claimant?.stream && found.at === claimant.at) return { status: 'ours' } as const
      const now = time.monotonicNow()
      if (waitingFor.revision !== found.revision) waitingFor = { revision: found.revision, since: now }
      if (now - waitingFor.since >= takeOverAfterMs) {
        const event = { type: 'ClaimAbandoned' as const, data: { reason: 'overtaken' as const } }
        const takeOver: Intent = { ...intent, actor: 'system', key: `take over ${randomUUID()}` }
        await handler
          .appendAt(found.stream, event, found.at, found.accountTime, takeOver)
          .catch(ignoreConflict)
        continue
      }
      if (performance.now() > intent.deadline)
        throw new Overloaded(`waited for a claim on ${stream} until the deadline`)
      await time.pause(lookAgainMs)
    }
  }

  return {
    /** The account that holds a name now, or null. An open claim is nobody's yet, a reserved name nobody's any more. */
    async holder(kind: NameKind, name: string, deadline: number) {
      const found = await look(kind, streamOf(kind, name), deadline)
      return found.status === 'held' ? found : null
    },

    /** The stream of the account that claimed a name last, whatever became of it; null if none ever did. */
    async lastClaimant(kind: NameKind, name: string, deadline: number): Promise<string | null> {
      const stream = streamOf(kind, name)
      const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1, deadline })
      return last ? claimIn(last).data.stream : null
    },

    /** When `stream` claimed a name last (ISO 8601), null if it is not among the last to claim it. */
    async claimedAt(kind: NameKind, name: string, stream: string, deadline: number): Promise<string | null> {
      const options = { direction: 'backwards', limit: lastClaims, deadline } as const
      const claims = (await store.readStream(streamOf(kind, name), options)).map(toRecorded)
      const own = claims.find(({ type, data }) => type === 'NameClaimed' && data.stream === stream)
      return own?.metadata.time ?? null
    },

    /** Whether a name is somebody's, once nobody is about to take it. */
    async isTaken(kind: NameKind, name: string, intent: Intent): Promise<boolean> {
      return (await settle(kind, streamOf(kind, name), intent)).status !== 'free'
    },

    /**
     * Claims a name for the event that `stream` will have after revision `at`. False: somebody has it, or had it lately.
     * Waits for an open claim, at most two seconds.
     */
    async claim(kind: NameKind, name: string, claimant: Claimant, intent: Intent): Promise<boolean> {
      const nameStream = streamOf(kind, name)
      for (;;) {
        const found = await settle(kind, nameStream, intent, claimant)
        if (found.status === 'ours') return true
        if (found.status !== 'free') return false
        const event = {
          type: 'NameClaimed' as const,
          data: { stream: claimant.stream, at: Number(claimant.at) },
        }
        // Claims are no part of what a key stands for: the same command may have to claim again.
        const key = `claim ${randomUUID()}`
        try {
          await handler.appendAt(nameStream, event, found.revision, found.time, { ...intent, key })
          return true
        } catch (error) {
          ignoreConflict(error)
        }
        if (performance.now() > intent.deadline)
          throw new Overloaded(`claimed ${nameStream} until the deadline`)
      }
    },

    /** Gives up what was claimed for `stream` at `at`: the event that would have taken the names cannot come now. */
    async abandon(stream: string, at: Revision, after: string, intent: Intent): Promise<void> {
      const event = { type: 'ClaimAbandoned' as const, data: { reason: 'refused' as const } }
      await handler.appendAt(stream, event, at, after, intent).catch(ignoreConflict)
    },
  }
}

function claimIn(event: RecordedEvent): Recorded<NameClaimed> {
  const claim = toRecorded(event)
  if (claim.type === 'NameClaimed') return claim
  throw new Error(`expected NameClaimed, ${event.stream} has ${event.type} at ${event.revision}`)
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof RevisionConflict)) throw error
}
