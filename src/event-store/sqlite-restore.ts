import { noStream, type Revision, RevisionConflict } from './event-store.ts'
import type { TransferredEvent } from './log-transfer.ts'
import { type EncodedEvent, encode } from './sqlite-rows.ts'

/** What restoring needs of the file, inside one transaction. */
export type RestoreSql = {
  revisionOf(stream: string): Revision
  /** The id of the event there; undefined if it is truncated. */
  idAt(stream: string, revision: Revision): string | undefined
  insert(stream: string, revision: Revision, event: EncodedEvent): void
  truncate(stream: string, before: Revision): void
}

/** Writes events of another log at their own revisions. Throws RevisionConflict before anything is written. */
export function restore(sql: RestoreSql, events: readonly TransferredEvent[], maxBytes: number): void {
  const ends = new Map<string, Revision>()
  const missing = events.filter(({ stream, revision, id }) => {
    const end = ends.get(stream) ?? sql.revisionOf(stream)
    if (revision > end) {
      ends.set(stream, revision)
      return true
    }
    const found = sql.idAt(stream, revision)
    if (found !== undefined && found !== id) throw new RevisionConflict(stream, revision - 1n, end)
    return false
  })
  const encoded = missing.map(event => encode(event.stream, [event], maxBytes))
  for (const [index, { stream, revision }] of missing.entries()) {
    const end = sql.revisionOf(stream)
    if (end > noStream && revision > end + 1n) sql.truncate(stream, revision)
    for (const event of encoded[index] ?? []) sql.insert(stream, revision, event)
  }
}
