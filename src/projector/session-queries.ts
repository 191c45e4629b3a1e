import { type SessionRow, sessions } from '../../projections/sessions.ts'
import { StoreUnavailable } from '../event-store/event-store.ts'
import type { Generation, ReadStore } from '../read-store/read-store.ts'
import { readableGeneration, understood, watchGenerations } from './generation-watch.ts'

export type SessionQueries = {
  /**
   * The user's sessions that were neither revoked nor have expired, in no order; some may have ended with the others.
   * Throws StoreUnavailable.
   */
  unexpired(userId: number): Promise<SessionRow[]>
  /**
   * The user's sessions that were not revoked and were used since a time (milliseconds since 1970), in no order; some may
   * have expired, or ended with the others. Throws StoreUnavailable.
   */
  usedSince(userId: number, since: number): Promise<SessionRow[]>
  /**
   * All the user's sessions that are not forgotten, revoked ones too; some may come twice. Throws StoreUnavailable, also
   * while what is read was made by older code, which cannot tell.
   */
  allOfUser(userId: number): AsyncIterable<SessionRow>
  /** All sessions that ended before a time (ISO 8601), those of the earliest days first. Throws StoreUnavailable. */
  endedBefore(time: string): AsyncIterable<SessionRow>
}

type Place = { value: string; key: string }

type Range = { from?: string; to: string }

const rowsPerPage = 200
/** The first version whose generations list revoked sessions with the others of their user. */
const withRevoked = 2
/** The first version whose generations order the sessions of a user by the day they end. */
const withDays = 3
const lastDay = '9999-12-31'

/** Reads whichever generation of the sessions is live. */
export function createSessionQueries(
  readStore: ReadStore,
  now: () => number,
  options?: { refreshMs?: number },
): SessionQueries {
  const watch = watchGenerations(readStore, sessions, options?.refreshMs)

  /** Rows in the order of an index, a page at a time, each of the generation that is live then. */
  async function* rows(
    index: 'user' | 'endDay',
    rangeIn: (generation: Generation) => Range,
  ): AsyncGenerator<SessionRow> {
    let reading: number | null = null
    let after: Place | null = null
    do {
      const { documents, generation } = await readableGeneration(watch, sessions.name)
      // Places in one generation say nothing about another: it may order them otherwise.
      if (generation.number !== reading) after = null
      reading = generation.number
      const page = { ...rangeIn(generation), direction: 'ascending', limit: rowsPerPage, after } as const
      const listed: (Place & { document: SessionRow })[] = await documents.list(index, page)
      for (const { document } of listed) yield understood(sessions, generation, document)
      const last = listed.length < rowsPerPage ? undefined : listed.at(-1)
      after = last ? { value: last.value, key: last.key } : null
    } while (after)
  }

  /** The user's sessions that were not revoked and end after a time, in milliseconds since 1970. */
  async function begun(userId: number, endingAfter: number): Promise<SessionRow[]> {
    const day = new Date(endingAfter).toISOString().slice(0, 10)
    const rangeIn = ({ version }: Generation) => ({
      from: version < withDays ? String(userId) : `${userId} ${day}`,
      to: `${userId} ${lastDay}`,
    })
    // A refresh moves a session to a later page than the one where it was seen.
    const found = new Map<string, SessionRow>()
    for await (const row of rows('user', rangeIn)) {
      if (Date.parse(row.endsAt) > endingAfter) found.set(row.id, row)
    }
    return [...found.values()]
  }

  return {
    unexpired: userId => begun(userId, now()),

    async usedSince(userId, since) {
      const unended = await begun(userId, since)
      return unended.filter(({ lastUsedAt }) => Date.parse(lastUsedAt) >= since)
    },

    async *allOfUser(userId) {
      const { generation } = await readableGeneration(watch, sessions.name)
      if (generation.version < withRevoked) {
        throw new StoreUnavailable(`${sessions.name} of version ${sessions.version} is being built`)
      }
      yield* rows('user', () => ({ from: String(userId), to: `${userId} revoked` }))
    },

    async *endedBefore(time) {
      for await (const row of rows('endDay', () => ({ to: time.slice(0, 10) }))) {
        if (Date.parse(row.endsAt) <= Date.parse(time)) yield row
      }
    },
  }
}
