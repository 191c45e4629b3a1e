import type { Recovery } from './checks/recover.ts'
import type { Counts } from './load/ledger.ts'
import { type Held, megabytes } from './world/memory.ts'

export type Row = {
  fault: string
  stores: string
  did: string
  counts: Counts
  recovery: Recovery
  before: Held
  after: Held
  lost: number
}

/** Acknowledged writes. */
export const written = ({ requests: _, unanswered: __, ...acknowledged }: Counts) =>
  Object.values(acknowledged).reduce((sum, each) => sum + each, 0)

const columns: { title: string; width: number; value(row: Row): string | number }[] = [
  { title: 'fault', width: -22, value: row => row.fault },
  { title: 'stores', width: -21, value: row => row.stores },
  { title: 'requests', width: 8, value: row => row.counts.requests },
  { title: 'unanswered', width: 10, value: row => row.counts.unanswered },
  { title: 'written', width: 8, value: row => written(row.counts) },
  { title: 'up ms', width: 6, value: row => row.recovery.healthyAfterMs },
  { title: 'caught up ms', width: 12, value: row => row.recovery.caughtUpAfterMs },
  {
    title: 'memory',
    width: 15,
    value: row => `${megabytes(row.before.bytes)}→${megabytes(row.after.bytes)}`,
  },
  {
    title: 'resident',
    width: 15,
    value: row => `${megabytes(row.before.resident)}→${megabytes(row.after.resident)}`,
  },
  {
    title: 'handles',
    width: 9,
    value: row => `${row.before.handles ?? 'untold'}→${row.after.handles ?? 'untold'}`,
  },
  { title: 'lost', width: 4, value: row => row.lost },
  { title: 'what was done', width: -1, value: row => row.did },
]

const line = (values: (string | number)[]) =>
  values
    .map((value, n) => {
      const width = columns[n]?.width ?? 0
      return width < 0 ? String(value).padEnd(-width) : String(value).padStart(width)
    })
    .join('  ')

export const tableHead = () => line(columns.map(({ title }) => title))
export const tableRow = (row: Row) => line(columns.map(({ value }) => value(row)))
