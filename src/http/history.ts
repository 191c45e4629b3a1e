import type { AccountHistory } from '../history/account-history.ts'
import { parseIsoTime } from '../iso-time.ts'
import { invalidFields, notFound, Refusal } from './errors.ts'
import { type Answer, type Exchange, type Handler, json } from './exchange.ts'
import type { NewContext } from './new-context.ts'
import { readLimit, usualPage } from './page-limit.ts'
import { toWholeProfile } from './profile-fields.ts'
import { queryParameter } from './query-string.ts'

const invalidTime = {
  field: 'at',
  message:
    'Datetime has wrong format. Use one of these formats instead: ' +
    'YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].',
}
const invalidCursor = { field: 'cursor', message: 'Invalid cursor.' }

type Asked = Exchange & { ownerId: number }

/** The view of a profile as it is or, where the query has `at`, as it was: for its owner alone. */
export function asItIsOrWas(asItIs: Handler, asItWas: Handler): Handler {
  return exchange => (queryParameter(exchange.query, 'at') === undefined ? asItIs : asItWas)(exchange)
}

/** The last steps of the routes about what an account was. */
export function createHistoryRoutes(history: AccountHistory, newContext: NewContext) {
  return {
    async showProfileAt(exchange: Asked): Promise<Answer> {
      const time = readTime(queryParameter(exchange.query, 'at'))
      const { deadline } = newContext(exchange)
      const profile = await history.profileAt(exchange.ownerId, time, deadline)
      if (!profile) throw new Refusal(notFound())
      return json(200, toWholeProfile(profile))
    },

    /** What happened to the account, the newest first, a page at a time. */
    async list(exchange: Asked): Promise<Answer> {
      const { query, ownerId, segment } = exchange
      const limit = readLimit(queryParameter(query, 'limit'), usualPage)
      const before = readCursor(queryParameter(query, 'cursor'), ownerId)
      const { deadline } = newContext(exchange)
      const { entries, next } = await history.page(ownerId, { before, limit }, deadline)
      const path = `/api/users/${encodeURIComponent(segment)}/history/`
      const link =
        next === null
          ? []
          : ['Link', `<${path}?limit=${limit}&cursor=${toCursor(ownerId, next)}>; rel="next"`]
      return json(200, entries, ...link)
    },
  }
}

/** A plus sign that was not encoded came as a space. */
function readTime(sent: string | null | undefined): string {
  const time = parseIsoTime((sent ?? '').replace(/ (?=\d\d:?\d\d$)/, '+'))
  if (time === null) throw new Refusal(invalidFields([invalidTime]))
  return time
}

function toCursor(userId: number, revision: number): string {
  return Buffer.from(`${userId} ${revision}`).toString('base64url')
}

function readCursor(sent: string | null | undefined, userId: number): number | null {
  if (sent === undefined) return null
  const [owner, revision] =
    /^(\d{1,15}) (\d{1,15})$/.exec(Buffer.from(sent ?? '', 'base64url').toString())?.slice(1) ?? []
  if (Number(owner) !== userId || revision === undefined) throw new Refusal(invalidFields([invalidCursor]))
  return Number(revision)
}
