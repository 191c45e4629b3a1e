import { type Profile, profiles } from '../../projections/profiles.ts'
import { usernameKey } from '../account/names.ts'
import type { Revision } from '../event-store/event-store.ts'
import type { AtRevision, Generation, ReadStore, SearchPlace } from '../read-store/read-store.ts'
import { readableGeneration, understood, watchGenerations } from './generation-watch.ts'
import { stableHash } from './stable-hash.ts'

/** A profile at a revision of its account, by a version of the projection. */
export type ProfileAt = { profile: Profile; revision: Revision; version: number }

/** What the HTTP routes ask the read model. All throw StoreUnavailable. */
export interface ProfileQueries {
  byId(id: number): Promise<ProfileAt | null>
  byUsernameKey(key: string): Promise<ProfileAt | null>
  /**
   * A page of the users whose username's key contains that of `query`: the equal one, those that begin with it, the
   * rest. `cursor` is the `next` of the page before, null for the first. Throws InvalidCursor.
   */
  search(page: { query: string; limit: number; cursor: string | null }): Promise<{
    profiles: Profile[]
    next: string | null
  }>
}

/** A cursor that nobody was given, or that belongs to another query. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor'
}

/** Reads whichever generation of the profiles is live. */
export function createProfileQueries(readStore: ReadStore, options?: { refreshMs?: number }): ProfileQueries {
  const watch = watchGenerations(readStore, profiles, options?.refreshMs)

  return {
    async byId(id) {
      const { documents, generation } = await readableGeneration(watch, profiles.name)
      return profileAt(generation, await documents.getAt(String(id)))
    },

    async byUsernameKey(key) {
      const { documents, generation } = await readableGeneration(watch, profiles.name)
      return profileAt(generation, await documents.findAt('username', key))
    },

    async search({ query, limit, cursor }) {
      const text = usernameKey(query)
      const after = cursor === null ? null : fromCursor(cursor, text)
      const { documents, generation } = await readableGeneration(watch, profiles.name)
      const page = await documents.search(text, { limit, after })
      return {
        profiles: page.documents.map(document => understood(profiles, generation, document)),
        next: page.next && toCursor(page.next, text),
      }
    },
  }
}

function profileAt(generation: Generation, found: AtRevision<Profile> | null): ProfileAt | null {
  if (found === null) return null
  const { revision, document } = found
  return { profile: understood(profiles, generation, document), revision, version: generation.version }
}

const amongWhich = { beginnings: 'b', rest: 'r' } as const

function toCursor({ among, value, key }: SearchPlace, text: string): string {
  return Buffer.from(JSON.stringify([stableHash(text), amongWhich[among], value, key])).toString('base64url')
}

function fromCursor(cursor: string, text: string): SearchPlace {
  const parts = parseCursor(cursor)
  const [query, among, value, key] = parts
  if (parts.length !== 4 || query !== stableHash(text))
    throw new InvalidCursor('expected a cursor of this query')
  if (typeof value !== 'string' || typeof key !== 'string') throw new InvalidCursor('expected a place')
  if (among === 'b' && value.startsWith(text)) return { among: 'beginnings', value, key }
  if (among === 'r' && text !== '' && value.includes(text) && !value.startsWith(text)) {
    return { among: 'rest', value, key }
  }
  throw new InvalidCursor('expected a place among what the query finds')
}

function parseCursor(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts)) return parts
  } catch {
    // Falls through: whatever is wrong with it, it is no cursor of ours.
  }
  throw new InvalidCursor('expected a cursor that this service gave out')
}
