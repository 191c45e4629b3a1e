import { type SessionRow, sessions } from '../../projections/sessions.ts'
import { StoreUnavailable } from '../event-store/event-store.ts'
import type { ReadStore } from '../read-store/read-store.ts'
import { readableGeneration, understood, watchGenerations } from './generation-watch.ts'

export type SessionQueries = {
  /**
   * The user's sessions that were not revoked, at most a thousand, in no order; some may have expired, or ended with
   * the others. Throws StoreUnavailable.
   */
  ofUser(userId: number): Promise<SessionRow[]>
  /**
   * All the user's sessions that are not forgotten, revoked ones too. Throws StoreUnavailable, also while what is read was
   * made by older code, which cannot tell.
   */
  allOfUser(userId: number): AsyncIterable<SessionRow>
  /** All sessions that ended before a time (ISO 8601), those of the earliest days first. Throws StoreUnavailable. */
  endedBefore(time: string): AsyncIterable<SessionRow>
}

type Place = { value: string; key: string }

const rowsPerPage = 200
const mostOfUser = 1000

/** Reads whichever generation of the sessions is live. */
export function createSessionQueries(readStore: ReadStore, options?: { refreshMs?: number }): SessionQueries {
  const watch = watchGenerations(readStore, sessions, options?.refreshMs)

  /** Rows in the order of an index, a page at a time, each of the generation that is live then. */
  async function* rows(
    index: 'user' | 'endDay',
    range: { from?: string; to: string },
  ): AsyncGenerator<SessionRow> {
    let after: Place | null = null
    do {
      const { documents, generation } = await readableGeneration(watch, sessions.name)
      const page = { ...range, direction: 'ascending', limit: rowsPerPage, after } as const
      const listed: (Place & { document: SessionRow })[] = await documents.list(index, page)
      for (const { document } of listed) yield understood(sessions, generation, document)
      const last = listed.length < rowsPerPage ? undefined : listed.at(-1)
      after = last ? { value: last.value, key: last.key } : null
    } while (after)
  }

  return {
    async ofUser(userId) {
      const value = String(userId)
      const found: SessionRow[] = []
      for await (const row of rows('user', { from: value, to: value })) {
        if (found.push(row) === mostOfUser) break
      }
      return found
    },

    async *allOfUser(userId) {
      const { generation } = await readableGeneration(watch, sessions.name)
      if (generation.version < sessions.version) {
        throw new StoreUnavailable(`${sessions.name} of version ${sessions.version} is being built`)
      }
      const value = String(userId)
      yield* rows('user', { from: value, to: `${value} revoked` })
    },

    async *endedBefore(time) {
      for await (const row of rows('endDay', { to: time.slice(0, 10) })) {
        if (Date.parse(row.endsAt) <= Date.parse(time)) yield row
      }
    },
  }
}
