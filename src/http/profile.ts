import { z } from 'zod'
import type { Profile } from '../../projections/profiles.ts'
import type { AccessClaims, Accounts, OwnProfile, ProfileChanges } from '../account/accounts.ts'
import { usernameKey } from '../account/names.ts'
import type { ProfileQueries } from '../projector/profile-queries.ts'
import type { Sent } from './body.ts'
import { idIn } from './credentials.ts'
import { notFound, Refusal } from './errors.ts'
import { type Exchange, json } from './exchange.ts'
import { boolean, type Inspection, inspect, refuseFields } from './fields.ts'
import type { NewContext } from './new-context.ts'
import { profileTexts, toCard, toProfileFields, toShownProfile, toWholeProfile } from './profile-fields.ts'
import { pendingUnless } from './visible.ts'

export const editProfileBody = z.object({ ...profileTexts, privacy: boolean().optional() })

type EditFields = z.infer<typeof editProfileBody>

/** The last step of a profile's view: everything for its owner, a card of a private user for everyone else. */
export function createViewProfile(profiles: ProfileQueries) {
  return async ({ segment, viewer }: Exchange & { viewer: AccessClaims | null }) => {
    const profile = await find(profiles, segment)
    if (!profile) throw new Refusal(notFound())
    if (viewer?.userId === profile.id) return json(200, toWholeProfile(profile))
    return json(200, profile.privacy ? toCard(profile) : toShownProfile(profile))
  }
}

function find(profiles: ProfileQueries, segment: string): Promise<Profile | null> | null {
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
    const changes = toChanges(await fieldsOf(exchange))
    const { value, visible } = await accounts.editProfile(exchange.claims, changes, newCommand(exchange))
    return json(200, toWholeProfile(value), ...pendingUnless(visible))
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
