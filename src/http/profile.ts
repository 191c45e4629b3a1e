import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { profiles as projection } from '../../projections/profiles.ts'
import type { AccessClaims, Accounts, OwnProfile, ProfileChanges } from '../account/accounts.ts'
import { DomainError } from '../account/domain-error.ts'
import { usernameKey } from '../account/names.ts'
import type { ProfileAt, ProfileQueries } from '../projector/profile-queries.ts'
import type { Sent } from './body.ts'
import { idIn } from './credentials.ts'
import { expectedRevision, ownerTag, precondition, publicTag } from './entity-tags.ts'
import { notFound, Refusal } from './errors.ts'
import { type Answer, type Exchange, json } from './exchange.ts'
import { boolean, type Inspection, inspect, refuseFields } from './fields.ts'
import type { NewContext } from './new-context.ts'
import { profileTexts, toCard, toProfileFields, toShownProfile, toWholeProfile } from './profile-fields.ts'
import { pendingUnless } from './visible.ts'

export const editProfileBody = z.object({ ...profileTexts, privacy: boolean().optional() })

type EditFields = z.infer<typeof editProfileBody>

/**
 * The last step of a profile's view: everything for its owner, a card of a private user for everyone else, and nothing
 * for whoever has it already.
 */
export function createViewProfile(profiles: ProfileQueries) {
  return async ({ req, segment, viewer }: Exchange & { viewer: AccessClaims | null }): Promise<Answer> => {
    const found = await find(profiles, segment)
    if (!found) throw new Refusal(notFound())
    const { profile, revision, version } = found
    const tagged = { id: profile.id, version }
    if (viewer?.userId === profile.id) {
      return answer(req, ownerTag(tagged, revision), json(200, toWholeProfile(profile)))
    }
    const shown = json(200, profile.privacy ? toCard(profile) : toShownProfile(profile))
    return answer(req, publicTag(tagged, shown.body), shown)
  }
}

function answer({ headers }: IncomingMessage, tag: string, shown: Answer): Answer {
  const state = precondition(headers, tag)
  if (state === 'failed') throw new DomainError('revision_moved')
  const tagged = ['ETag', tag]
  return state === 'met'
    ? { ...shown, headers: tagged }
    : { status: 304, type: '', body: '', headers: tagged }
}

function find(profiles: ProfileQueries, segment: string): Promise<ProfileAt | null> | null {
  const id = idIn(segment)
  if (id === null) return profiles.byUsernameKey(usernameKey(segment))
  return Number.isSafeInteger(id) ? profiles.byId(id) : null
}

type Edit = { claims: AccessClaims; sent: Sent; inspection: Inspection<EditFields> }

/** The last step of an edit: changes the fields sent, and shows the whole profile. */
export function createEditProfile(accounts: Accounts, newContext: NewContext, newCommand: NewContext) {
  async function fieldsOf(exchange: Exchange & Edit): Promise<EditFields> {
    const { inspection, claims, sent } = exchange
    if (inspection.ok) return inspection.fields
    // An edit of nothing tells what the fields are now.
    const { value: current } = await accounts.editProfile(claims, {}, newContext(exchange))
    const changed = withoutUnchanged(sent, current)
    const again = inspect(editProfileBody, changed)
    return again.ok ? again.fields : refuseFields(again.errors)
  }

  return async (exchange: Exchange & Edit) => {
    const { req, claims } = exchange
    const changes = toChanges(await fieldsOf(exchange))
    const expected = expectedRevision(req.headers, claims.userId)
    const edited = await accounts.editProfile(claims, changes, newCommand(exchange), expected)
    const { value, visible, revision } = edited
    const tag = ownerTag({ id: value.id, version: projection.version }, revision)
    // An answer to PUT must not have one unless what was sent is what is stored (RFC 9110, 9.3.4).
    const tagged = req.method === 'PATCH' ? ['ETag', tag] : []
    return json(200, toWholeProfile(value), ...tagged, ...pendingUnless(visible))
  }
}

function toChanges({ privacy, ...texts }: EditFields): ProfileChanges {
  return { ...toProfileFields(texts), ...(privacy === undefined ? {} : { privacy }) }
}

/** What was sent, without the fields that have that value already: imported ones may be beyond the limits. */
function withoutUnchanged(sent: Sent, current: OwnProfile): Sent {
  const shown = new Map<string, unknown>(Object.entries(toWholeProfile(current)))
  return Object.fromEntries(Object.entries(sent).filter(([name, value]) => shown.get(name) !== value))
}
