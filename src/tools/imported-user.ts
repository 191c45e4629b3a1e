import { z } from 'zod'
import type { ProfileFields } from '../account/events.ts'
import { isUnusable, readImportedHash } from '../account/imported-hashes.ts'
import { boolean, inspect, text } from '../http/fields.ts'
import { profileTexts, toProfileFields } from '../http/profile-fields.ts'
import { emailRule, longestEmail } from '../http/register.ts'

export type ImportedUser = {
  user: { username: string; email: string; passwordHash: string } & ProfileFields
  privacy: boolean
}

const noProfile: ProfileFields = {
  firstName: '',
  lastName: '',
  bio: '',
  favSport1: '',
  favSport2: '',
  favSport3: '',
  location: '',
  avatar: '',
}

const unknownHash =
  'Expected a password hash as Django (pbkdf2, argon2, bcrypt, scrypt), bcrypt, or PHC (argon2, scrypt) writes it.'

/** As the API has them, but for the shape of the username: names from elsewhere are kept. */
const importedFields = z.object({
  username: text({ maximum: 150 }),
  email: text({ maximum: longestEmail, mayBeBlank: true, rule: emailRule }).optional(),
  password_hash: text({
    maximum: 1024,
    rule: hash => (isUnusable(hash) || readImportedHash(hash) ? null : unknownHash),
  }),
  ...profileTexts,
  privacy: boolean().optional(),
})

/** The user that a record tells of, or what is wrong with it, field by field. */
export function importedUser(record: Record<string, unknown>): ImportedUser | { problems: string[] } {
  const found = inspect(importedFields, record)
  if (!found.ok) return { problems: found.errors.map(({ field, message }) => `${field}: ${message}`) }
  const { username, email = '', password_hash: passwordHash, privacy = false, ...texts } = found.fields
  return {
    user: { ...noProfile, ...toProfileFields(texts), username, email, passwordHash },
    privacy,
  }
}
