import { setTimeout as pause } from 'node:timers/promises'
import { accountStream, accounts, sessionStream, sessions } from '../account/aggregates.ts'
import { accountOf } from '../account/erasures.ts'
import type { Handler, Intent } from '../account/handle.ts'
import { eraseSession } from '../account/sessions.ts'
import type { EventStore, RecordedEvent } from '../event-store/event-store.ts'
import type { Forgetting } from '../projector/forgetting.ts'
import type { SessionQueries } from '../projector/session-queries.ts'
import type { ReadStore } from '../read-store/read-store.ts'
import { NotYet } from '../sweeper/chores.ts'

export type EraserOptions = {
  store: EventStore
  readStore: Pick<ReadStore, 'parked' | 'purge'>
  handler: Handler
  sessions: Pick<SessionQueries, 'allOfUser'>
  generations: Forgetting
  /** Removes what else is kept of a user, outside of log and read models. */
  removals: readonly ((userId: number) => Promise<void>)[]
  log: { info(fields: object, message: string): void }
}

const commandTimeoutMs = 5000
const lookEveryMs = 25
const patienceMs = 4000

/**
 * Removes what is left of a user whose account was erased. Each step can be done again, after a stop at any moment, until
 * all of them are done.
 */
export function createEraser(options: EraserOptions) {
  const { store, readStore, handler, generations, log } = options

  async function until(what: () => Promise<string | null>, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const missing = await what()
      if (missing === null) return
      if (signal.aborted || performance.now() > deadline) throw new NotYet(missing)
      await pause(lookEveryMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Whether a session was the user's, as the log tells. */
  async function isOfUser(stream: string, userId: number): Promise<boolean> {
    if (!stream.startsWith('session-')) return stream === accountStream(userId)
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 })
    return last?.metadata.userId === userId
  }

  async function sessionsOf(userId: number): Promise<Set<string>> {
    const streams = new Set<string>()
    for await (const { id } of options.sessions.allOfUser(userId)) streams.add(sessionStream(id))
    // Their read model does not know those that it could not apply.
    for (const { stream } of await readStore.parked()) {
      if (stream.startsWith('session-') && (await isOfUser(stream, userId))) streams.add(stream)
    }
    return streams
  }

  /** Ends a session for good, and gives the one event that is kept of it. */
  async function forgetSession(
    stream: string,
    userId: number,
    erased: RecordedEvent,
  ): Promise<RecordedEvent[]> {
    const intent: Intent = {
      key: `erase ${erased.id}`,
      actor: 'system',
      requestId: erased.metadata.$correlationId,
      causationId: erased.id,
      deadline: performance.now() + commandTimeoutMs,
    }
    const { revision } = await handler.handle(sessions, stream, intent, session =>
      eraseSession(session, userId),
    )
    await store.truncate(stream, revision)
    return store.readStream(stream, { direction: 'backwards', limit: 1 })
  }

  return {
    /** Resolves when nothing is left of the user whom `erased` is the last event of. */
    async erase(erased: RecordedEvent, signal: AbortSignal): Promise<void> {
      const userId = accountOf(erased.stream)
      if (userId === null) return
      for (const remove of options.removals) await remove(userId)
      await store.truncate(erased.stream, erased.revision)
      // The fold that this process remembers is the new one then.
      await handler.load(accounts, erased.stream, performance.now() + commandTimeoutMs)

      const head = await store.head()
      // What is only built or dropped takes long, and none of the sessions is looked for there.
      await until(() => generations.readBehind(head), signal)
      const forgotten: RecordedEvent[] = []
      const streams = await sessionsOf(userId)
      for (const stream of streams) forgotten.push(...(await forgetSession(stream, userId, erased)))
      await generations.inFrozen([erased, ...forgotten])
      await until(async () => {
        const parked = await generations.retryParked(stream => isOfUser(stream, userId))
        return parked > 0 ? `${parked} parked streams are to be tried again` : null
      }, signal)
      const last = forgotten.reduce((end, { position }) => (position > end ? position : end), head)
      await until(() => generations.behind(last), signal)
      // One of them may have been frozen meanwhile, a moment before it was through.
      await generations.inFrozen([erased, ...forgotten])

      await store.purge()
      await readStore.purge()
      log.info({ userId, sessions: streams.size }, 'nothing is left of a user who was erased')
    },

    /** Has read models that are kept for a way back forget a session as the others do. */
    forgetInFrozen: (forgotten: RecordedEvent) => generations.inFrozen([forgotten]),
  }
}
