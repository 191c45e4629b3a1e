import type { OwnProfile } from '../account/accounts.ts'
import type { ProfileFields } from '../account/events.ts'
import { text } from './fields.ts'

/** The texts of a profile as the API names them, with their limits in code points, in the order of the API. */
export const profileTexts = {
  first_name: text({ maximum: 150, mayBeBlank: true }).optional(),
  last_name: text({ maximum: 150, mayBeBlank: true }).optional(),
  bio: text({ maximum: 2000, mayBeBlank: true }).optional(),
  fav_sport_1: text({ maximum: 100, mayBeBlank: true }).optional(),
  fav_sport_2: text({ maximum: 100, mayBeBlank: true }).optional(),
  fav_sport_3: text({ maximum: 100, mayBeBlank: true }).optional(),
  location: text({ maximum: 200, mayBeBlank: true }).optional(),
  avatar: text({ maximum: 8192, mayBeBlank: true }).optional(),
}

type SentTexts = { [Name in keyof typeof profileTexts]?: string | undefined }

const names = [
  ['first_name', 'firstName'],
  ['last_name', 'lastName'],
  ['bio', 'bio'],
  ['fav_sport_1', 'favSport1'],
  ['fav_sport_2', 'favSport2'],
  ['fav_sport_3', 'favSport3'],
  ['location', 'location'],
  ['avatar', 'avatar'],
] as const satisfies readonly (readonly [keyof typeof profileTexts, keyof ProfileFields])[]

/** Those of the texts that were sent, as the domain names them. */
export function toProfileFields(sent: SentTexts): Partial<ProfileFields> {
  const fields: Partial<ProfileFields> = {}
  for (const [sentName, name] of names) {
    const value = sent[sentName]
    if (value !== undefined) fields[name] = value
  }
  return fields
}

/** A profile as the API shows it to anybody. */
export function toShownProfile(profile: OwnProfile) {
  return {
    id: profile.id,
    username: profile.username,
    first_name: profile.firstName,
    last_name: profile.lastName,
    bio: profile.bio,
    fav_sport_1: profile.favSport1,
    fav_sport_2: profile.favSport2,
    fav_sport_3: profile.favSport3,
    location: profile.location,
    avatar: profile.avatar,
    privacy: profile.privacy,
  }
}

/** A profile as the API shows it to its owner. */
export function toWholeProfile(profile: OwnProfile) {
  return { ...toShownProfile(profile), email: profile.email }
}

/** What anybody may see of a private user, and what a search shows of everyone. */
export function toCard({ id, username, avatar, privacy }: OwnProfile) {
  return { id, username, avatar, privacy }
}
