import type { Profile } from '../../projections/profiles.ts'
import { InvalidCursor, type ProfileQueries } from '../projector/profile-queries.ts'
import { invalidFields, Refusal } from './errors.ts'
import { type Exchange, json } from './exchange.ts'
import { largestPage, readLimit, usualPage } from './page-limit.ts'
import { toCard } from './profile-fields.ts'
import { queryParameter } from './query-string.ts'

export type SearchEnvelope = 'none' | 'results'

/** How many are shown if the client does not say. */
export const defaultLimits: Readonly<Record<SearchEnvelope, number>> = {
  none: usualPage,
  results: largestPage,
}

const invalidCursor = { field: 'cursor', message: 'Invalid cursor.' }

/** The last step of a search by username, a page at a time. */
export function createSearchProfiles(profiles: ProfileQueries, envelope: SearchEnvelope) {
  return async ({ query: queryString }: Exchange) => {
    const query = readQuery(queryParameter(queryString, 'query'))
    const limit = readLimit(queryParameter(queryString, 'limit'), defaultLimits[envelope])
    const cursor = queryParameter(queryString, 'cursor')
    const page = await search(profiles, { query, limit, cursor })
    const cards = page.profiles.map(toCard)
    const link = page.next === null ? [] : ['Link', linkTo(query ?? '', limit, page.next)]
    return json(200, envelope === 'results' ? { results: cards } : cards, ...link)
  }
}

type Page = { profiles: readonly Profile[]; next: string | null }

/** `query` null matches nobody, and no cursor can belong to it. */
async function search(
  profiles: ProfileQueries,
  wanted: { query: string | null; limit: number; cursor: string | null | undefined },
): Promise<Page> {
  const { query, limit, cursor = undefined } = wanted
  if (cursor === null || (query === null && cursor !== undefined))
    throw new Refusal(invalidFields([invalidCursor]))
  if (query === null) return { profiles: [], next: null }
  try {
    return await profiles.search({ query, limit, cursor: cursor ?? null })
  } catch (error) {
    if (error instanceof InvalidCursor) throw new Refusal(invalidFields([invalidCursor]))
    throw error
  }
}

/** None asks for everyone, one with NUL or bad UTF-8 in it for nobody: null. */
function readQuery(sent: string | null | undefined): string | null {
  return sent?.includes('\0') ? null : sent === undefined ? '' : sent
}

function linkTo(query: string, limit: number, cursor: string): string {
  return `</api/users/?query=${encodeURIComponent(query)}&limit=${limit}&cursor=${encodeURIComponent(cursor)}>; rel="next"`
}
