import { randomUUID } from 'node:crypto'
import { noteTheft, noticeLastsSeconds } from '../account/account.ts'
import { accountStream, accounts, sessionIdOf, sessionStream, sessions } from '../account/aggregates.ts'
import type { SessionRevoked } from '../account/events.ts'
import type { Handler, Intent } from '../account/handle.ts'
import type { Recorded } from '../account/recorded.ts'
import { type Client, forgetSession } from '../account/sessions.ts'
import { toRecorded } from '../account/upcasters.ts'
import { randomId } from '../account/write-side.ts'
import {
  type EventStore,
  type Position,
  type RecordedEvent,
  StoreUnavailable,
} from '../event-store/event-store.ts'
import type { SessionQueries } from '../projector/session-queries.ts'
import { createChores } from './chores.ts'

export type SweeperOptions = {
  store: EventStore
  handler: Handler
  sessions: Pick<SessionQueries, 'endedBefore'>
  /** How long something is known of a session after its end. */
  historyDays: number
  now(): number
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
  /** How often it is looked for sessions to forget. */
  sweepEveryMs?: number
  firstPauseMs?: number
}

const commandTimeoutMs = 5000
const millisecondsPerDay = 86_400_000

/**
 * Forgets sessions long after their end, and lets their owners know of thefts. Feed it every session event in order;
 * `mayAct` is asked before each step, false once another sweeper may be at work.
 */
export function createSweeper(options: SweeperOptions & { mayAct(): boolean }) {
  const { store, handler, log, now, mayAct, historyDays, sweepEveryMs = 3_600_000 } = options
  const chores = createChores(options)
  let sweeping: Promise<void> | null = null
  // Not at once: at a first start the read model is being built.
  const soonMs = Math.min(sweepEveryMs, 60_000)
  let timer: NodeJS.Timeout | null = null
  let stopped = false

  function intentOf(key: string, causedBy?: RecordedEvent): Intent {
    return {
      key,
      actor: 'system',
      requestId: causedBy?.metadata.$correlationId ?? `sweep-${randomUUID()}`,
      ...(causedBy ? { causationId: causedBy.id } : {}),
      deadline: performance.now() + commandTimeoutMs,
    }
  }

  function isTheftToTell({ data, metadata }: Recorded<SessionRevoked>): boolean {
    return data.reason === 'theft' && Date.parse(metadata.time) + noticeLastsSeconds * 1000 > now()
  }

  /** Tells the owner's account of a theft, if it was one, which makes a mail due. */
  async function tellOfTheft(revoked: RecordedEvent): Promise<void> {
    const event = toRecorded(revoked)
    if (event.type !== 'SessionRevoked' || !isTheftToTell(event)) return
    const client = await lastKnownClient(event)
    const theft = { sessionId: sessionIdOf(event.stream), ...client, noticeId: randomId() }
    const intent = intentOf(`theft ${event.id}`, event)
    await handler.handle(accounts, accountStream(event.data.userId), intent, account =>
      noteTheft(account, theft),
    )
  }

  async function lastKnownClient({ stream, revision }: RecordedEvent): Promise<Client> {
    const events = await store.readStream(stream, { from: revision, direction: 'backwards', limit: 2 })
    for (const { type, data } of events.map(toRecorded)) {
      if (type === 'SessionStarted' || type === 'SessionRefreshed') {
        return { device: data.device, addressRange: data.addressRange }
      }
    }
    return { device: '', addressRange: '' }
  }

  /** Resolves to whether it came to the end. What fails for a session alone does not keep it from the others. */
  async function sweep(): Promise<boolean> {
    const before = new Date(now() - historyDays * millisecondsPerDay).toISOString()
    let forgotten = 0
    let isThrough = true
    for await (const { id, userId } of options.sessions.endedBefore(before)) {
      if (stopped || !mayAct()) {
        isThrough = false
        break
      }
      if (await forget(id, userId, before)) forgotten += 1
    }
    if (forgotten > 0) log.info({ sessions: forgotten }, 'forgot sessions that ended long ago')
    return isThrough
  }

  /** Whether there was something to forget. Throws StoreUnavailable. */
  async function forget(id: string, userId: number, before: string): Promise<boolean> {
    try {
      const intent = intentOf(`forget ${id}`)
      const { appended } = await handler.handle(sessions, sessionStream(id), intent, session =>
        forgetSession(session, userId, before),
      )
      return appended
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error
      log.warn({ err: error, sessionId: id }, 'could not forget a session; the next sweep will try again')
      return false
    }
  }

  function sweepAndAgain(): void {
    if (stopped || sweeping) return
    sweeping = sweep()
      .then(
        isThrough => (isThrough ? sweepEveryMs : soonMs),
        (error: unknown) => {
          log.warn({ err: error }, 'could not look for sessions to forget')
          return soonMs
        },
      )
      .then(pauseMs => {
        sweeping = null
        if (!stopped) timer = setTimeout(sweepAndAgain, pauseMs)
      })
  }

  return {
    /** Takes note of events; resolves when there is room for more. */
    async observe(events: readonly RecordedEvent[]): Promise<void> {
      for (const event of events) {
        const { type, stream, revision, position } = event
        if (type === 'SessionForgotten') {
          chores.add('truncate a forgotten session', position, () => store.truncate(stream, revision))
        } else if (type === 'SessionRevoked') {
          chores.add('tell of a theft', position, () => tellOfTheft(event))
        }
      }
      await chores.room()
    },

    /** Starts to forget, soon and every now and then; doing it again changes nothing. */
    begin(): void {
      timer ??= setTimeout(sweepAndAgain, soonMs)
    },

    doneUpTo: (observed: Position): Position => chores.doneUpTo(observed),

    /** Resolves when there will be no more effects. */
    async stop(): Promise<void> {
      stopped = true
      if (timer) clearTimeout(timer)
      await Promise.all([sweeping, chores.stop()])
    },
  }
}
