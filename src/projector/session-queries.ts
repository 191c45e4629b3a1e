import { type SessionRow, sessions } from '../../projections/sessions.ts'
import type { ReadStore } from '../read-store/read-store.ts'
import { readableGeneration, understood, watchGenerations } from './generation-watch.ts'

export type SessionQueries = {
  /**
   * The user's sessions that were not revoked, at most a thousand, in no order; some may have expired, or ended with
   * the others. Throws StoreUnavailable.
   */
  ofUser(userId: number): Promise<SessionRow[]>
}

const rowsPerPage = 200
const mostPages = 5

/** Reads whichever generation of the sessions is live. */
export function createSessionQueries(readStore: ReadStore, options?: { refreshMs?: number }): SessionQueries {
  const watch = watchGenerations(readStore, sessions, options?.refreshMs)

  return {
    async ofUser(userId) {
      const { documents, generation } = await readableGeneration(watch, sessions.name)
      const value = String(userId)
      const found: SessionRow[] = []
      let after: { value: string; key: string } | null = null
      for (let page = 0; page < mostPages; page++) {
        const rows = await documents.list('user', {
          ...{ from: value, to: value, direction: 'ascending', limit: rowsPerPage, after },
        })
        for (const { document } of rows) found.push(understood(sessions, generation, document))
        const last = rows.at(-1)
        if (!last || rows.length < rowsPerPage) break
        after = { value: last.value, key: last.key }
      }
      return found
    },
  }
}
