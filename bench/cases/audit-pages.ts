import { createAuditQueries } from '../../src/projector/audit-queries.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import type { Bench } from '../bench.ts'
import { below } from '../measuring/limits.ts'
import { shuffled } from '../measuring/random.ts'
import type { Crowd } from '../world/crowd.ts'

const allowedMs = 5
const rowsPerPage = 20
const usersAsked = 500

/** How long a page of the audit takes in a read store that has one, of users with long histories and of everyone. */
export async function measureAuditPages(bench: Bench, readFile: string, crowd: Crowd): Promise<void> {
  const readStore = await openSqliteReadStore(readFile)
  const queries = createAuditQueries(readStore)

  /** The milliseconds of each page, from the newest on. */
  async function pages(filter: { user?: number }, most: number): Promise<number[]> {
    const times: number[] = []
    let after: Parameters<typeof queries.page>[1]['after'] = null
    do {
      const started = performance.now()
      const page = await queries.page(filter, { direction: 'descending', limit: rowsPerPage, after })
      times.push(performance.now() - started)
      after = page.next
    } while (after !== null && times.length < most)
    return times
  }

  try {
    await pages({}, 10)
    const ofUsers: number[][] = []
    for (const { userId } of shuffled(crowd.users.slice(0, crowd.edited)).slice(0, usersAsked))
      ofUsers.push(await pages({ user: userId }, Number.POSITIVE_INFINITY))
    const everyone = await pages({}, bench.scale.deepPages)
    const figures: [what: string, times: number[]][] = [
      ["a user's, first", ofUsers.flatMap(times => times.slice(0, 1))],
      ["a user's, deep", ofUsers.flatMap(times => times.slice(1))],
      [`everyone's, up to page ${everyone.length}`, everyone],
    ]
    for (const [what, times] of figures) {
      const title = `a page of the audit of ${rowsPerPage} rows, ${what}`
      const comparedWith = `99 in 100 below ${quantile(times, 0.99).toFixed(1)} ms`
      bench.add({ ...below(allowedMs, { title, found: quantile(times, 0.5), unit: ' ms' }), comparedWith })
    }
  } finally {
    await readStore.close()
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
