import { printable, spelledOut } from '../spelled-out.ts'
import type { ToldRow } from './told-rows.ts'

/** A row for a person: a line, and one more for each field that changed and whatever else there is to know. */
export function inWords(row: ToldRow): string {
  const { time, type, user, actor, request, stream, revision, changes, details } = row
  const by = actor === user ? 'themselves' : typeof actor === 'number' ? `user ${actor}` : actor
  const from = request === '' ? '' : `, request ${printable(request)}`
  const lines = [
    `${time}  ${type}  user ${user}, by ${by}${from}  (${stream} at ${revision})`,
    ...changes.map(({ field, from, to }) => `${field}: ${spelledOut(from)} → ${spelledOut(to)}`),
    ...Object.entries(details).map(([name, value]) => `${name}: ${spelledOut(value)}`),
  ]
  return `${lines.join('\n    ')}\n`
}
