import type { AuditRow } from '../../projections/audit.ts'
import type { Documents, Listed } from '../read-store/read-store.ts'
import type { AuditFilter } from './audit-queries.ts'

type Index = 'type' | 'user' | 'actor'
type AuditDocuments = Pick<Documents<AuditRow, Index>, 'list'>

/** A place in the order of time. */
export type Place = { time: string; key: string }

/** What values of an index have in common before their time. The last word of it is the type. */
type Head = { index: Index; head: string }

/** The rows of one head, in order, some read ahead. */
export type AuditLine = {
  /** Reads on if nothing is read ahead and there may be more. */
  fill(): Promise<void>
  /** Where the next row stands; null at the end. */
  place(): Place | null
  take(): AuditRow | null
}

/** The lines among which all that a filter wants is found: a handful, found by leaping from one to the next. */
export async function linesOf(documents: AuditDocuments, filter: AuditFilter): Promise<Head[]> {
  const found: Head[] = []
  for (const { index, prefix } of prefixesOf(filter)) {
    for (let from = prefix; ; ) {
      // Ids, types and times have only signs between these two, and are separated by one before both.
      const range = { from, to: `${prefix}~`, direction: 'ascending', limit: 1, after: null } as const
      const [first] = await documents.list(index, range)
      if (!first) break
      const head = first.value.slice(0, first.value.lastIndexOf(' '))
      found.push({ index, head })
      from = `${head}!`
    }
  }
  const { types } = filter
  return types ? found.filter(({ head }) => types.includes(head.slice(head.lastIndexOf(' ') + 1))) : found
}

function prefixesOf({ user, actor }: AuditFilter): { index: Index; prefix: string }[] {
  if (user !== undefined)
    return [{ index: 'user', prefix: actor === undefined ? `${user} ` : `${user} ${actor} ` }]
  if (actor === undefined) return [{ index: 'type', prefix: '' }]
  return [
    { index: 'user', prefix: `${actor} ${actor} ` },
    { index: 'actor', prefix: `${actor} ` },
  ]
}

/** Reads a line in one direction, beginning after a place. */
export function readLine(
  documents: AuditDocuments,
  { index, head }: Head,
  range: {
    since?: string
    until?: string
    direction: 'ascending' | 'descending'
    after: Place | null
    rowsPerRead: number
  },
): AuditLine {
  const { since, until, direction, rowsPerRead: limit } = range
  const bounds = { from: `${head} ${since ?? ''}`, to: until === undefined ? `${head}!` : `${head} ${until}` }
  let after = isWithin(range) ? { value: `${head} ${range.after.time}`, key: range.after.key } : null
  let ahead: Listed<AuditRow>[] = []
  let isAtEnd = false

  return {
    async fill() {
      if (ahead.length > 0 || isAtEnd) return
      const listed = await documents.list(index, { ...bounds, direction, limit, after })
      const last = listed.at(-1)
      isAtEnd = listed.length < limit
      if (last) after = { value: last.value, key: last.key }
      ahead = listed.reverse()
    },
    place() {
      const next = ahead.at(-1)
      return next ? { time: next.document.time, key: next.key } : null
    },
    take: () => ahead.pop()?.document ?? null,
  }
}

/** A place before the beginning of what is wanted bounds nothing. */
function isWithin<Range extends { since?: string; until?: string; direction: string; after: Place | null }>(
  range: Range,
): range is Range & { after: Place } {
  const { since = '', until, direction, after } = range
  if (!after) return false
  return direction === 'ascending' ? after.time >= since : until === undefined || after.time <= until
}
