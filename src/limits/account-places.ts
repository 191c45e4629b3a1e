import type { Place } from './limiter.ts'
import type { LimitName } from './rules.ts'

type AccountLimit = Extract<LimitName, `${string}-per-account`>

/** By what each limit on an account counts. */
const countedBy = {
  'logins-per-account': 'username',
  'sessions-per-account': 'username',
  'passwords-per-account': 'id',
  'email-changes-per-account': 'id',
  'edits-per-account': 'id',
} as const satisfies Record<AccountLimit, 'id' | 'username'>

type CountedBy<What> = {
  [Limit in AccountLimit]: (typeof countedBy)[Limit] extends What ? Limit : never
}[AccountLimit]
export type IdLimit = CountedBy<'id'>
export type UsernameLimit = CountedBy<'username'>

const limits = Object.keys(countedBy) as AccountLimit[]
export const idLimits = limits.filter((limit): limit is IdLimit => countedBy[limit] === 'id')
export const usernameLimits = limits.filter(
  (limit): limit is UsernameLimit => countedBy[limit] === 'username',
)

export const ofUser = (limit: IdLimit, userId: number): Place => ({ limit, whose: String(userId) })

/** `digest` is that of the username's key, or of a place where its owner logs in. */
export const ofUsername = (limit: UsernameLimit, digest: string): Place => ({ limit, whose: digest })
