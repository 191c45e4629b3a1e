import { tellsOf } from '../account/erasures.ts'
import type { Revision } from '../event-store/event-store.ts'
import { type EventText, untruncated, type WholeEventStore } from '../event-store/log-transfer.ts'
import { contentText, saltTextLength } from './export-file/format.ts'
import type { PlacedLine } from './export-file/parse.ts'

/** The log holds something that the export has not, or otherwise. */
export class LogsDiffer extends Error {
  override readonly name = 'LogsDiffer'
}

export type Compared = {
  /** The first line that the log has not yet; null: it has all. */
  missingFrom: number | null
  /** Streams that begin later in the export: what came before was erased or truncated where it was made. */
  truncations: ReadonlyMap<string, Revision>
  /** Events of the log behind all of the export. */
  ahead: number
}

export type Comparing = {
  store: WholeEventStore
  erasedHere: ReadonlySet<number>
  erasedThere: ReadonlySet<number>
  signal: AbortSignal
}

/**
 * Goes through a log and an export side by side, and finds where the export goes on behind the log. What was erased or
 * truncated on either side is passed over. `take` throws LogsDiffer if the log is no beginning of the export,
 * and both throw once `signal` aborts.
 */
export function createComparison({ store, erasedHere, erasedThere, signal }: Comparing) {
  const log = eventsOf(store, erasedHere)
  const truncations = new Map<string, Revision>()
  /** Events of the log that the export has not where they should be: their streams must begin later there. */
  const skipped = new Map<string, EventText>()
  let here: EventText | null | undefined
  let missingFrom: number | null = null

  async function next(): Promise<void> {
    signal.throwIfAborted()
    const { value, done } = await log.next()
    here = done ? null : value
  }

  /** Whether the log has had the event of this line, and has it no more. */
  async function wasHere({ place: { stream, revision } }: PlacedLine): Promise<boolean> {
    const [first] = await store.readStream(stream, { limit: 1 })
    return first !== undefined && first.revision > BigInt(revision)
  }

  function skip(event: EventText): void {
    skipped.set(event.stream, event)
  }

  function settleSkipped(line: PlacedLine): void {
    const event = skipped.get(line.place.stream)
    if (!event) return
    const revision = BigInt(line.place.revision)
    if (revision <= event.revision) {
      throw new LogsDiffer(
        `expected ${placeOf(event)} before line ${line.place.line}, found it after that in the log`,
      )
    }
    truncations.set(event.stream, revision)
    skipped.delete(event.stream)
  }

  return {
    /** Whether the rest of the export need not be looked at. */
    isDecided: () => missingFrom !== null && skipped.size === 0,

    async take(line: PlacedLine): Promise<void> {
      if (here === undefined) await next()
      settleSkipped(line)
      if (missingFrom !== null) return
      for (;;) {
        if (here && isSamePlace(here, line)) {
          requireSameContent(here, line)
          settleSkipped(line)
          await next()
          return
        }
        if (line.kind === 'redacted' || isForgotten(line, erasedHere) || (await wasHere(line))) return
        if (!here) {
          missingFrom = line.place.line
          return
        }
        skip(here)
        await next()
      }
    },

    async end(): Promise<Compared> {
      for (const [stream, event] of skipped) {
        if (!erasedThere.has(ownerOf(event) ?? -1)) {
          throw new LogsDiffer(
            `expected only events of the export, found ${placeOf(event)} in the log besides`,
          )
        }
        // The last event of a session stays if it tells nothing, as when the service erases.
        truncations.set(stream, tells(event) === null ? event.revision : event.revision + 1n)
      }
      if (here === undefined) await next()
      let ahead = 0
      for (; here; await next()) ahead++
      return { missingFrom, truncations, ahead }
    },
  }
}

async function* eventsOf(store: WholeEventStore, erased: ReadonlySet<number>): AsyncGenerator<EventText> {
  for await (const { events } of untruncated(store, store.readTexts())) {
    for (const event of events) {
      const { stream, type } = event
      const isOver =
        erased.size > 0 && erased.has(tellsOf({ stream, type, userId: () => userIdIn(event) }) ?? -1)
      if (!isOver) yield event
    }
  }
}

const placeOf = ({ stream, revision }: EventText) => `revision ${revision} of ${stream}`

function isSamePlace(event: EventText, { place }: PlacedLine): boolean {
  return event.stream === place.stream && String(event.revision) === place.revision
}

function requireSameContent(event: EventText, line: PlacedLine): void {
  if (line.kind === 'redacted') return
  const there = line.rest.toString('utf8', 0, line.rest.length - saltTextLength)
  if (there === contentText(event)) return
  const what =
    event.stream === 'log' ? 'the same log, found another one' : 'the same event, found another one'
  throw new LogsDiffer(`expected ${what}: ${placeOf(event)} is not that of line ${line.place.line}`)
}

/** Whether a line tells of somebody who was erased. */
export function isForgotten(line: PlacedLine, erased: ReadonlySet<number>): boolean {
  if (erased.size === 0 || line.kind === 'redacted') return false
  const { content } = JSON.parse(`{${line.rest}`)
  const { stream } = line.place
  return erased.has(tellsOf({ stream, type: content.type, userId: () => content.metadata.userId }) ?? -1)
}

function tells(event: EventText): number | null {
  const { stream, type } = event
  return tellsOf({ stream, type, userId: () => userIdIn(event) })
}

function ownerOf(event: EventText): number | null {
  const userId = userIdIn(event)
  return typeof userId === 'number' ? userId : null
}

function userIdIn(event: EventText): unknown {
  return JSON.parse(event.metadata).userId
}
