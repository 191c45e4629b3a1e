import type { Actor } from '../event-store/event-store.ts'
import type { CommandContext } from './accounts.ts'
import { DomainError } from './domain-error.ts'
import { DoneMeanwhile, type Earlier } from './earlier-command.ts'
import type { RosterEvent } from './events.ts'
import type { Aggregate } from './fold-stream.ts'
import type { Handler, Intent } from './handle.ts'
import { intentOf } from './write-side.ts'

/** A command to one stream. Its name is part of the ids of its events: it stays what it is. */
export type StreamCommand<State, E extends RosterEvent> = {
  name: string
  actor: Actor
  aggregate: Aggregate<State, E>
  stream: string
}

/** The key of a command's events, where the client gave one. */
export function commandKey(name: string, idempotencyKey: string): string {
  return `${name}, once: ${idempotencyKey}`
}

/**
 * Does a command to one stream, with an intent whose key is the client's if it gave one. If that key was used for it
 * before, what was appended then is answered again by `again`, which throws `key_reused` (by `requireSame`) if that
 * was asked for something else. A repetition waits for the first one, or for the deadline; one that was refused
 * counts for nothing.
 */
export function onceByKey<State, E extends RosterEvent, T>(
  { handler }: { handler: Handler },
  { name, actor, aggregate, stream }: StreamCommand<State, E>,
  context: CommandContext,
  steps: { again(earlier: Earlier<State, E>): Promise<T>; first(intent: Intent): Promise<T> },
): Promise<T> {
  const { idempotencyKey, deadline } = context
  const intent = intentOf(name, actor, context)
  if (idempotencyKey === undefined) return steps.first(intent)
  const key = commandKey(name, idempotencyKey)
  return once({ handler }, `${stream} ${key}`, deadline, {
    look: () => handler.findEarlier(aggregate, stream, key, deadline),
    found: ({ earlier }) => earlier,
    again: steps.again,
    first: ({ lookedTo }) => steps.first({ ...intent, key, keyIsNew: false, lookedTo }),
  })
}

/** The steps of `onceByKey` for what is looked for in another way. `turn` is one for the same command and key. */
export async function once<Looked, Found, T>(
  { handler }: { handler: Handler },
  turn: string,
  deadline: number,
  steps: {
    look(): Promise<Looked>
    found(looked: Looked): Found | null
    again(found: Found): Promise<T>
    first(looked: Looked): Promise<T>
  },
): Promise<T> {
  return handler.inTurn(turn, deadline, async () => {
    const looked = await steps.look()
    const before = steps.found(looked)
    if (before !== null) return steps.again(before)
    try {
      return await steps.first(looked)
    } catch (error) {
      // It may be refused because another process did the same command meanwhile.
      if (!(error instanceof DomainError || error instanceof DoneMeanwhile)) throw error
      const meanwhile = steps.found(await steps.look())
      if (meanwhile === null) throw error
      return steps.again(meanwhile)
    }
  })
}

/** Throws `key_reused` unless a command is the one that was done with its key. */
export function requireSame(isSame: boolean): void {
  if (!isSame) throw new DomainError('key_reused')
}
