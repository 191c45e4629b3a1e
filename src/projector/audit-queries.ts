import { type AuditRow, audit, auditKey } from '../../projections/audit.ts'
import type { Position } from '../event-store/event-store.ts'
import type { Documents, ReadStore } from '../read-store/read-store.ts'
import { type AuditLine, linesOf, type Place, readLine } from './audit-lines.ts'
import { readableGeneration, watchGenerations } from './generation-watch.ts'

/** All of what is given must hold; times are ISO 8601 in UTC with milliseconds, both inclusive. */
export type AuditFilter = {
  user?: number
  actor?: number | string
  types?: readonly string[]
  since?: string
  until?: string
}

export type AuditPage = {
  direction: 'ascending' | 'descending'
  limit: number
  /** The `next` of the page before, null for the first. */
  after: Place | null
}

export type AuditQueries = {
  /** A page of what happened, in order of time; it costs the same however long the log. Throws StoreUnavailable. */
  page(filter: AuditFilter, page: AuditPage): Promise<{ rows: AuditRow[]; next: Place | null }>
}

/** Reads whichever generation of the audit is live. */
export function createAuditQueries(readStore: ReadStore, options?: { refreshMs?: number }): AuditQueries {
  const watch = watchGenerations(readStore, audit, options?.refreshMs)
  return {
    async page(filter, page) {
      const { documents } = await readableGeneration(watch, audit.name)
      return auditPage(documents, filter, page)
    },
  }
}

/** A page out of the audit's documents. */
export async function auditPage(
  documents: Documents<AuditRow, keyof typeof audit.indexes>,
  filter: AuditFilter,
  { direction, limit, after }: AuditPage,
): Promise<{ rows: AuditRow[]; next: Place | null }> {
  const lines = await linesOf(documents, filter)
  const range = { ...filter, direction, after }
  const rowsPerRead = Math.min(limit + 1, Math.max(8, Math.ceil((2 * limit) / Math.max(1, lines.length))))
  const readers = lines.map(line => readLine(documents, line, { ...range, rowsPerRead }))
  await Promise.all(readers.map(reader => reader.fill()))
  const rows: AuditRow[] = []
  for (;;) {
    const next = firstOf(readers, direction)
    if (!next) return { rows, next: null }
    if (rows.length === limit) return { rows, next: placeOf(rows.at(-1)) }
    const row = next.take()
    if (row) rows.push(row)
    await next.fill()
  }
}

function firstOf(readers: readonly AuditLine[], direction: AuditPage['direction']): AuditLine | null {
  let first: AuditLine | null = null
  for (const reader of readers) {
    const place = reader.place()
    const best = first?.place()
    if (!place) continue
    if (!best || comesBefore(place, best) === (direction === 'ascending')) first = reader
  }
  return first
}

function comesBefore(a: Place, b: Place): boolean {
  return a.time === b.time ? a.key < b.key : a.time < b.time
}

function placeOf(row: AuditRow | undefined): Place | null {
  return row ? { time: row.time, key: auditKey(row.stream, BigInt(row.revision)) } : null
}

/** A place as text, to go on from. */
export function toAuditCursor({ time, key }: Place): string {
  return Buffer.from(JSON.stringify([time, key])).toString('base64url')
}

/** Where a follow was in the log, as text. Other than a place in time, it passes nothing over that comes in late. */
export function toFollowCursor(position: Position): string {
  return Buffer.from(JSON.stringify([String(position)])).toString('base64url')
}

/** The position that a text stands for, null if it stands for none. */
export function fromFollowCursor(cursor: string): Position | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const [position, ...more]: unknown[] = Array.isArray(parts) ? parts : []
    const isPosition = typeof position === 'string' && /^(-1|\d{1,20})$/.test(position)
    return isPosition && more.length === 0 ? BigInt(position) : null
  } catch {
    return null
  }
}

/** The place that a text stands for, null if it stands for none. */
export function fromAuditCursor(cursor: string): Place | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (!Array.isArray(parts) || parts.length !== 2) return null
    const [time, key]: unknown[] = parts
    return typeof time === 'string' && typeof key === 'string' ? { time, key } : null
  } catch {
    return null
  }
}
