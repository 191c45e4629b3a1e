import { randomUUID } from 'node:crypto'
import type {
  Batch,
  EventStore,
  JsonObject,
  NewEvent,
  Position,
  RecordedEvent,
  StreamFilter,
} from '../../src/event-store/event-store.ts'

/** An event with an id of its own and metadata as Roster writes it; the store does not care what it says. */
export function anEvent(data: JsonObject = {}, overrides: Partial<NewEvent> = {}): NewEvent {
  const id = randomUUID()
  return {
    id,
    type: 'Noted',
    data,
    metadata: {
      userId: 42,
      actor: 42,
      time: '2026-01-01T12:00:00.000Z',
      $correlationId: 'request-1',
      $causationId: id,
      version: 1,
    },
    ...overrides,
  }
}

export const someEvents = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, number) => anEvent({ number }))

export const idsOf = (events: readonly { id: string }[]): string[] => events.map(event => event.id)

/** What `readAll` gives, all batches together. */
export async function readWhole(
  store: EventStore,
  options: { after?: Position; filter?: StreamFilter } = {},
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const batch of store.readAll(options)) events.push(...batch.events)
  return events
}

/** A subscription at work in the background, collecting all it is given. */
export function collect(store: EventStore, options: { after: Position; filter?: StreamFilter }) {
  const abort = new AbortController()
  const batches: Batch[] = []
  const check = new EventTarget()
  const ended = (async () => {
    for await (const batch of store.subscribe({ ...options, signal: abort.signal })) {
      batches.push(batch)
      check.dispatchEvent(new Event('batch'))
    }
  })()

  /** Resolves when `holds` is true, now or after a later batch; rejects if the subscription ends before. */
  async function until(holds: () => boolean): Promise<void> {
    const news = new Promise<void>(resolve => {
      const look = () => {
        if (!holds()) return
        check.removeEventListener('batch', look)
        resolve()
      }
      check.addEventListener('batch', look)
      look()
    })
    const end = ended.then(() => {
      if (!holds()) throw new Error('the subscription ended before what was waited for')
    })
    await Promise.race([news, end])
  }

  const events = () => batches.flatMap(batch => batch.events)
  return {
    batches,
    events,
    ended,
    until,
    untilCaughtUp: () => until(() => batches.some(batch => batch.caughtUp)),
    untilCount: (count: number) => until(() => events().length >= count),
    async stop() {
      abort.abort()
      await ended
    },
  }
}
