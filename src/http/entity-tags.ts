import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Revision } from '../event-store/event-store.ts'

/** Whose profile it is, and by which version of the read model. The id counts because a name may get to somebody else. */
export type TaggedProfile = { id: number; version: number }

/** The strong entity tag of a profile as its owner sees it, of a revision of the account. */
export function ownerTag({ id, version }: TaggedProfile, revision: Revision): string {
  return `"${id}.${revision}.owner.${version}"`
}

/**
 * The strong entity tag of a profile as others see it, in that body. It tells no revision: that also moves with what
 * nobody else may know of, such as a reset asked for by an address.
 */
export function publicTag({ id, version }: TaggedProfile, body: string): string {
  return `"${id}.${hash('sha256', body, 'base64url').slice(0, 22)}.public.${version}"`
}

/** What `If-Match` and `If-None-Match` say about a representation that is there (RFC 9110, section 13). */
export function precondition(headers: IncomingHttpHeaders, tag: string): 'met' | 'not modified' | 'failed' {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch !== undefined && !names(ifMatch, each => each === tag, 'strong')) return 'failed'
  if (ifNoneMatch !== undefined && names(ifNoneMatch, each => each === tag, 'weak')) return 'not modified'
  return 'met'
}

/**
 * The same for a change by its owner, as a question about the revision that the account is at; undefined if nothing is
 * said. The version of the read model, of which the account knows nothing, does not matter.
 */
export function expectedRevision(
  { 'if-match': ifMatch, 'if-none-match': ifNoneMatch }: IncomingHttpHeaders,
  id: number,
): ((revision: Revision) => boolean) | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined
  return revision => {
    const tag = ownerTag({ id, version: 0 }, revision).replace(/0"$/, '')
    const isTheirs = (each: string) => each.startsWith(tag) && /^\d+"$/.test(each.slice(tag.length))
    if (ifMatch !== undefined && !names(ifMatch, isTheirs, 'strong')) return false
    return ifNoneMatch === undefined || !names(ifNoneMatch, isTheirs, 'weak')
  }
}

const tags = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

/** Whether a list of tags has such a one in it, or is `*`. Weak ones are none where comparison is strong. */
function names(list: string, isSuch: (tag: string) => boolean, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true
  for (const [, weak, tag = ''] of list.matchAll(tags)) {
    if ((weak === undefined || comparison === 'weak') && isSuch(tag)) return true
  }
  return false
}
