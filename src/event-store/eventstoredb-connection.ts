import { setTimeout as pause } from 'node:timers/promises'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { StoreUnavailable } from './event-store.ts'
import { type Client, openClient } from './eventstoredb-client.ts'
import { describe, isFatal } from './eventstoredb-failures.ts'
import type { ConnectionUrl } from './eventstoredb-url.ts'

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

type Used = { client: Client; heardAt: number; waiting: Set<(why: string) => void> }

/** Grows with the failures from `first` to `longest`, and is never the same for two who wait. */
export function backoff(failures: number, first: number, longest: number): number {
  return Math.min(longest, first * 2 ** failures) * (0.5 + Math.random() / 2)
}

/**
 * A client of its own, because a call that fails closes the channel of the client it was made with. It is replaced when
 * a call hears nothing and no other call on it does.
 */
export function connect({ url, address }: ConnectionUrl, patience: Patience): Connection {
  const { attemptMs, longestAttemptMs, backoffMs, longestBackoffMs } = patience
  let current: Used | undefined
  let closed = false

  async function replace(used: Used): Promise<void> {
    if (current === used) current = undefined
    for (const giveUp of [...used.waiting]) giveUp('the connection was given up')
    await used.client.close()
  }

  function attempt<T>(silenceMs: number, run: (call: Call) => Promise<T>): Promise<T> {
    current ??= { client: openClient(url), heardAt: 0, waiting: new Set() }
    const used = current
    const startedAt = performance.now()
    let heardAt = startedAt
    let abandon = () => {}
    return new Promise<T>((resolve, reject) => {
      let timer = setTimeout(look, silenceMs)
      used.waiting.add(giveUp)

      function end(): boolean {
        clearTimeout(timer)
        return used.waiting.delete(giveUp)
      }
      function giveUp(why: string): void {
        end()
        abandon()
        reject(new NoAnswer(why))
      }
      function look(): void {
        const left = heardAt + silenceMs - performance.now()
        if (left > 0.5) {
          timer = setTimeout(look, left)
          return
        }
        giveUp(`no answer within ${Math.round(silenceMs)} ms`)
        if (used.heardAt < startedAt) void replace(used)
      }
      function heard(): void {
        heardAt = used.heardAt = performance.now()
      }

      const onGivenUp = (action: () => void) => {
        abandon = action
      }
      run({ client: used.client.events, heard, onGivenUp }).then(
        result => {
          if (end()) heard()
          resolve(result)
        },
        error => {
          if (end()) heard()
          reject(error)
        },
      )
    })
  }

  return {
    async persist(what, deadline, run) {
      let lastError: unknown = new NoAnswer('its deadline had passed')
      for (let failures = 0; performance.now() < deadline; failures++) {
        if (closed) throw new StoreUnavailable(`${what} on ${address}: it is closed`)
        try {
          const left = deadline - performance.now()
          return await attempt(Math.min(left, longestAttemptMs, attemptMs * 2 ** failures), run)
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
