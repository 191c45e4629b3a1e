import type { Filter } from 'mongodb'
import { compareUtf8 } from './compare-utf8.ts'
import type { StoredRow } from './mongodb-collections.ts'
import { endOfBeginnings } from './suffixes.ts'

type Clause = Filter<StoredRow>
export type Place = { value: string; key: string }

/** What has a value in an index between two bounds, both inclusive, and comes after a place in its order. */
export function inRange(
  field: string,
  range: { from?: string; to?: string; direction: 'ascending' | 'descending'; after: Place | null },
): Clause {
  const { from = '', to, after } = range
  const upper = to === undefined ? {} : { $lte: to }
  if (!after) return { [field]: { $gte: from, ...upper } }
  if (range.direction === 'descending') return beyond(field, after, '$lt', { $gte: from })
  return beyond(field, after, '$gt', upper)
}

/** What begins with `text` in an index, and comes after a place in its order. */
export function beginningWith(field: string, text: string, after: Place | null): Clause {
  const end = endOfBeginnings(text)
  const upper = end === null ? {} : { $lt: end }
  return after ? beyond(field, after, '$gt', upper) : { [field]: { $gte: text, ...upper } }
}

/** What does not begin with `text`, and comes after a place in the order of an index. */
export function notBeginningWith(field: string, text: string, after: Place | null): Clause {
  const end = endOfBeginnings(text)
  if (after && end !== null && compareUtf8(after.value, end) >= 0) return beyond(field, after, '$gt', {})
  const before = after ? beyond(field, after, '$gt', { $lt: text }) : { [field]: { $gte: '', $lt: text } }
  return end === null ? before : either([before, { [field]: { $gte: end } }])
}

/** Two clauses, each a range of the index, so that a page costs the same however deep it is. */
function beyond(field: string, { value, key }: Place, step: '$gt' | '$lt', bound: object): Clause {
  return either([
    { [field]: { [step]: value, ...bound } },
    { [field]: { $eq: value, ...bound }, _id: { [step]: key } },
  ])
}

function either(clauses: readonly Clause[]): Clause {
  return { $or: clauses.flatMap(clause => ('$or' in clause ? (clause.$or ?? []) : [clause])) }
}

/** The suffixes that begin with `part`. */
export function suffixBeginningWith(part: string): Clause {
  const end = endOfBeginnings(part)
  return { suffixes: { $elemMatch: { $gte: part, ...(end === null ? {} : { $lt: end }) } } }
}

/** What contains `text`, in which nothing is special. */
export function containing(field: string, text: string): Clause {
  return { [field]: { $regex: text.replace(/[^\p{L}\p{N}\s]/gu, escaped) } }
}

/** Beyond ASCII nothing is special, and a backslash would be. */
const escaped = (sign: string) => (sign < '\x7f' ? `\\${sign}` : sign)
