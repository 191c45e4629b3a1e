import { setTimeout as pause } from 'node:timers/promises'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { StoreUnavailable } from './event-store.ts'
import { type Client, openClient } from './eventstoredb-client.ts'
import { bearing, describe, isFatal } from './eventstoredb-failures.ts'
import type { ConnectionUrl } from './eventstoredb-url.ts'
import { type Waiting, watchdog } from './eventstoredb-watchdog.ts'

/** The server did not answer in time. What was asked of it may have been done. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** Thrown by an attempt whose outcome is known for good: `reason` is what the caller gets. */
export class Refused extends Error {
  readonly reason: unknown
  constructor(reason: unknown) {
    super('refused')
    this.reason = reason
  }
}

export type Call = {
  client: EventStoreDBClient
  /** To be called at each sign of life. */
  heard(): void
  /** What to do when nobody waits for the answer any more. */
  onGivenUp(action: () => void): void
}

export type Patience = {
  /** How long to wait in silence at first, and at most, before trying again, in milliseconds. */
  attemptMs: number
  longestAttemptMs: number
  /** How long to wait between attempts. */
  backoffMs: number
  longestBackoffMs: number
}

export type Connection = {
  /**
   * Tries, and tries again over what passes by itself, until `deadline` (`performance.now()` ms). Throws
   * StoreUnavailable then or if the server refuses for good, and the reason of a Refused.
   */
  persist<T>(what: string, deadline: number, run: (call: Call) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** `askedAt`: since when, at the latest, it is asked without being heard. */
type Used = { client: Client; heardAt: number; askedAt: number }

/** Grows with the failures from `first` to `longest`, and is never the same for two who wait. */
export function backoff(failures: number, first: number, longest: number): number {
  return Math.min(longest, first * 2 ** failures) * (0.5 + Math.random() / 2)
}

/** A call under way. A class, as there is one for every append. */
class Attempt implements Call, Waiting {
  readonly client: EventStoreDBClient
  readonly used: Used
  readonly startedAt: number
  readonly silenceMs: number
  readonly deadline: number
  due: number
  onOverdue: (attempt: Attempt) => void
  abandon: (() => void) | undefined

  constructor(used: Used, silenceMs: number, deadline: number, onOverdue: (attempt: Attempt) => void) {
    this.client = used.client.events
    this.used = used
    this.startedAt = performance.now()
    this.silenceMs = silenceMs
    this.deadline = deadline
    this.due = Math.min(this.startedAt + silenceMs, deadline)
    this.onOverdue = onOverdue
  }

  heard(): void {
    this.used.heardAt = performance.now()
    this.due = Math.min(this.used.heardAt + this.silenceMs, this.deadline)
  }

  onGivenUp(action: () => void): void {
    this.abandon = action
  }

  giveUp(): void {
    this.onOverdue(this)
  }
}

/**
 * A client of its own, because a call that fails closes the channel of the client it was made with. It is replaced when
 * it is asked and nothing is heard from it for as long as a first attempt may take, and when it fails by itself or is
 * connected to a node that takes no calls.
 */
export function connect({ url, address }: ConnectionUrl, patience: Patience): Connection {
  const { attemptMs, longestAttemptMs, backoffMs, longestBackoffMs } = patience
  const attempts = watchdog<Attempt>()
  let current: Used | undefined
  let closed = false

  async function replace(used: Used): Promise<void> {
    if (current === used) current = undefined
    for (const attempt of [...attempts.all()]) if (attempt.used === used) attempt.giveUp()
    await used.client.close()
  }

  function judge(call: Attempt, error: unknown): void {
    const says = error instanceof Refused ? 'answered' : bearing(error)
    if (says === 'answered') call.heard()
    else if (says === 'stale') void replace(call.used)
  }

  function attempt<T>(silenceMs: number, deadline: number, run: (call: Call) => Promise<T>): Promise<T> {
    current ??= { client: openClient(url), heardAt: 0, askedAt: 0 }
    const used = current
    if (used.heardAt >= used.askedAt) used.askedAt = performance.now()
    return new Promise<T>((resolve, reject) => {
      const call = new Attempt(used, silenceMs, deadline, ({ abandon, startedAt }) => {
        attempts.remove(call)
        abandon?.()
        const now = performance.now()
        reject(new NoAnswer(`no answer within ${Math.round(now - startedAt)} ms`))
        const isSilent = used.heardAt < used.askedAt && now - used.askedAt >= attemptMs
        if (current === used && isSilent) void replace(used)
      })
      attempts.add(call)
      run(call).then(
        result => {
          if (attempts.remove(call)) call.heard()
          resolve(result)
        },
        error => {
          if (attempts.remove(call)) judge(call, error)
          reject(error)
        },
      )
    })
  }

  return {
    async persist(what, deadline, run) {
      let lastError: unknown = 'its deadline had passed'
      for (let failures = 0; performance.now() < deadline; failures++) {
        if (closed) throw new StoreUnavailable(`${what} on ${address}: it is closed`)
        try {
          return await attempt(Math.min(longestAttemptMs, attemptMs * 2 ** failures), deadline, run)
        } catch (error) {
          if (error instanceof Refused) throw error.reason
          if (isFatal(error)) throw new StoreUnavailable(`${what} on ${address}: ${describe(error)}`)
          lastError = error
        }
        const left = deadline - performance.now()
        if (left > 0) await pause(Math.min(left, backoff(failures, backoffMs, longestBackoffMs)))
      }
      throw new StoreUnavailable(`${what} on ${address}: ${describe(lastError)}`)
    },

    async close() {
      closed = true
      if (current) await replace(current)
    },
  }
}
