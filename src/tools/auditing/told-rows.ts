import type { AuditRow } from '../../../projections/audit.ts'
import type { Recorded } from '../../account/recorded.ts'
import { toRecorded } from '../../account/upcasters.ts'
import type { EventStore, JsonObject } from '../../event-store/event-store.ts'
import type { AccountChanges, ChangingEvent } from '../../history/account-changes.ts'
import type { Change } from '../../history/shown-account.ts'
import { accountDetails, sessionDetails } from './event-details.ts'

/** A row of the audit with what it points to, in the names of the API. */
export type ToldRow = {
  time: string
  type: string
  user: number
  actor: number | string
  request: string
  stream: string
  revision: number
  changes: Change[]
  details: JsonObject
}

const streamsAtOnce = 16

/** Looks up in the log what the rows point to. Of what was truncated meanwhile nothing is told but that it was. */
export async function tellRows(
  store: EventStore,
  accountChanges: AccountChanges,
  rows: readonly AuditRow[],
): Promise<ToldRow[]> {
  const revisionsByStream = new Map<string, number[]>()
  for (const { stream, revision } of rows) {
    revisionsByStream.set(stream, [...(revisionsByStream.get(stream) ?? []), revision])
  }
  const told = new Map<string, Pick<ToldRow, 'changes' | 'details'> & { request?: string }>()
  const name = (stream: string, revision: number | bigint) => `${stream}@${revision}`

  async function lookUp([stream, revisions]: [string, number[]]): Promise<void> {
    if (stream.startsWith('user-')) {
      for (const found of await accountChanges.at(stream, revisions)) {
        told.set(name(stream, found.event.revision), { changes: found.changes, details: detailsOf(found) })
      }
      return
    }
    for (const revision of revisions) {
      const [stored] = await store.readStream(stream, { from: BigInt(revision), limit: 1 })
      if (stored?.revision !== BigInt(revision)) continue
      const details = sessionDetails(toRecorded(stored))
      told.set(name(stream, revision), { changes: [], details, request: stored.metadata.$correlationId })
    }
  }

  const all = [...revisionsByStream]
  for (let from = 0; from < all.length; from += streamsAtOnce) {
    await Promise.all(all.slice(from, from + streamsAtOnce).map(lookUp))
  }
  return rows.map(({ stream, revision, type, time, actor, request, userId: user }) => {
    const known = told.get(name(stream, revision))
    const { changes = [], details = {} } = known ?? {}
    const cause = request === '' ? (known?.request ?? '') : request
    return { time, type, user, actor, request: cause, stream, revision, changes, details }
  })
}

function detailsOf({ event, before }: ChangingEvent): JsonObject {
  const recorded: Recorded = toRecorded(event)
  return accountDetails(recorded, before.account)
}
