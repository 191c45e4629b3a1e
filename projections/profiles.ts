import type { ProfileFields } from '../src/account/events.ts'
import { usernameKey } from '../src/account/names.ts'
import type { Projection } from '../src/projector/projection.ts'

/** A user as profile view and search show it. `key` is the username as it is compared and searched. */
export type Profile = {
  id: number
  username: string
  key: string
  email: string
  privacy: boolean
} & ProfileFields

const accountStreams = 'user-'

/** One document a user who was not erased, under the id: serves profile view and search. */
export const profiles: Projection<Profile, 'username'> = {
  name: 'profiles',
  version: 3,
  streams: [accountStreams],

  key: event => (event.stream.startsWith(accountStreams) ? event.stream.slice(accountStreams.length) : null),

  evolve(profile, event) {
    switch (event.type) {
      case 'UserRegistered': {
        const { userId, passwordHash: _, username, email, ...fields } = event.data
        return { id: userId, username, key: usernameKey(username), email, privacy: false, ...fields }
      }
      case 'ProfileEdited':
        return { ...registered(profile, event.type), ...event.data }
      case 'EmailChanged':
        return { ...registered(profile, event.type), email: event.data.email }
      case 'EmailLost':
        return { ...registered(profile, event.type), email: '' }
      case 'UserErased':
        return null
      default:
        return profile
    }
  },

  indexes: { username: profile => profile.key },
  searched: 'username',
}

function registered(profile: Profile | null, type: string): Profile {
  if (!profile) throw new Error(`expected a registered user before ${type}, found none`)
  return profile
}
