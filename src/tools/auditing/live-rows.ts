import { type AuditRow, audit, auditedTypes } from '../../../projections/audit.ts'
import { toRecorded } from '../../account/upcasters.ts'
import type { EventStore, Position, RecordedEvent } from '../../event-store/event-store.ts'
import type { AuditFilter } from '../../projector/audit-queries.ts'

/** `checkpoint`: all that is wanted up to there has been handed out. */
export type LiveRows = { rows: AuditRow[]; checkpoint: Position }

/** Rows as they happen, in the order of the log, straight from it: until `signal` aborts. */
export async function* liveRows(
  store: EventStore,
  filter: AuditFilter,
  { after, signal }: { after: Position; signal: AbortSignal },
): AsyncGenerator<LiveRows> {
  const types = filter.types ?? auditedTypes
  const subscribing = { after, filter: { prefixes: audit.streams, types }, signal }
  for await (const { events, checkpoint } of store.subscribe(subscribing)) {
    yield { rows: events.map(rowOf).filter(row => isWanted(row, filter)), checkpoint }
  }
}

function rowOf(event: RecordedEvent): AuditRow {
  const row = audit.evolve(null, toRecorded(event))
  if (row) return row
  throw new Error(`expected a row of ${event.type}, found none`)
}

function isWanted(row: AuditRow, { user, actor, since = '', until }: AuditFilter): boolean {
  return (
    (user === undefined || row.userId === user) &&
    (actor === undefined || row.actor === actor) &&
    row.time >= since &&
    (until === undefined || row.time <= until)
  )
}
