import { isRegistered } from '../account/account.ts'
import type { AccountAt } from './account-at.ts'

/** Whatever may be shown of an account, in the names of the API. */
export type ShownAccount = Record<string, string | number | boolean>

/** A field that is another than before; null: there was none, or is none any more. */
export type Change = {
  field: string
  from: string | number | boolean | null
  to: string | number | boolean | null
}

/** An account as it may be shown; null if nobody had it then. The password's hash is nobody's business. */
export function shownAccount({ account, registeredAt, passwordSetAt }: AccountAt): ShownAccount | null {
  if (!isRegistered(account)) return null
  const { userId, username, email, profile } = account
  return {
    id: userId,
    username,
    email,
    email_proved: account.emailProved,
    email_asked_for: account.emailChange?.email ?? '',
    first_name: profile.firstName,
    last_name: profile.lastName,
    bio: profile.bio,
    fav_sport_1: profile.favSport1,
    fav_sport_2: profile.favSport2,
    fav_sport_3: profile.favSport3,
    location: profile.location,
    avatar: profile.avatar,
    privacy: profile.privacy,
    disabled: account.status === 'disabled',
    registered: registeredAt,
    password_set: passwordSetAt,
  }
}

/** What is different between two moments of an account. */
export function changesBetween(from: AccountAt, to: AccountAt): Change[] {
  const [was, is] = [shownAccount(from) ?? {}, shownAccount(to) ?? {}]
  const fields = Object.keys({ ...was, ...is })
  return fields
    .filter(field => was[field] !== is[field])
    .map(field => ({ field, from: was[field] ?? null, to: is[field] ?? null }))
}
