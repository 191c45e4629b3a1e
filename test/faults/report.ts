import type { Counts } from './ledger.ts'
import type { Recovery } from './round.ts'

export type Row = { round: number; layout: string; killed: string; counts: Counts; lost: number } & Recovery

const columns: { title: string; value(row: Row): string | number }[] = [
  { title: 'round', value: row => row.round },
  { title: 'roles', value: row => row.layout },
  { title: 'killed', value: row => row.killed },
  { title: 'after ms', value: row => row.killedAfterMs },
  { title: 'requests', value: row => row.counts.requests },
  { title: 'unanswered', value: row => row.counts.unanswered },
  { title: 'registered', value: row => row.counts.registrations },
  { title: 'edited', value: row => row.counts.edits },
  { title: 'reset', value: row => row.counts.resets },
  { title: 'logins', value: row => row.counts.logins },
  { title: 'refreshes', value: row => row.counts.refreshes },
  { title: 'up ms', value: row => row.healthyAfterMs },
  { title: 'caught up ms', value: row => row.caughtUpAfterMs },
  { title: 'lost', value: row => row.lost },
]

const width = (title: string) => Math.max(title.length, title === 'killed' ? 'api, workers'.length : 8)
const line = (values: (string | number)[]) =>
  values.map((value, n) => String(value).padStart(width(columns[n]?.title ?? ''))).join('  ')

export const tableHead = () => line(columns.map(({ title }) => title))
export const tableRow = (row: Row) => line(columns.map(({ value }) => value(row)))
