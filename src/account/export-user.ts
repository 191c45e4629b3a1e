import type { JsonObject, RecordedEvent } from '../event-store/event-store.ts'
import { outlives, requireRegistered } from './account.ts'
import type { AccessClaims, CommandContext, ExportedUser } from './accounts.ts'
import { accountStream, accounts, sessionStream } from './aggregates.ts'
import type { Recorded } from './recorded.ts'
import { toRecorded } from './upcasters.ts'
import { ownProfile, type WriteSide } from './write-side.ts'

type Name = Pick<ExportedUser['names'][number], 'kind' | 'name'>

const eventsPerPage = 500
/** So that an export leaves the store to others, too. */
const sessionsAtOnce = 16

/**
 * All that the log tells of a user but hashes of passwords, for the user. `sessionIds`: those that read models know of;
 * the one that asks need not be among them. Throws `account_gone`.
 */
export async function exportUser(
  side: WriteSide,
  { userId, sessionId }: AccessClaims,
  sessionIds: readonly string[],
  context: CommandContext,
): Promise<ExportedUser> {
  const { deadline } = context
  const stream = accountStream(userId)
  const { state } = await side.handler.load(accounts, stream, deadline)
  const account = requireRegistered(state)
  const events = await eventsOf(side, stream, deadline)
  const ids = [...new Set([...sessionIds, sessionId])]
  const { sessionsEnd } = account
  const endedTogetherAt = timeAt(events, sessionsEnd.revision)
  const known = await sessionsOf(side, ids, deadline)
  const sessions = known.map(({ accountRevision, revokedAt, ...session }) => {
    const isOver = !outlives({ sessionId: session.id, accountRevision }, sessionsEnd)
    return { ...session, endedAt: revokedAt ?? (isOver ? endedTogetherAt : null) }
  })
  return {
    exportedAt: new Date(side.now()).toISOString(),
    registeredAt: events[0]?.metadata.time ?? '',
    profile: ownProfile(account),
    emailProved: account.emailProved,
    emailChange: account.emailChange,
    names: await namesIn(side, events, stream, deadline),
    sessions,
    events: events.map(shownEvent),
  }
}

async function eventsOf(side: WriteSide, stream: string, deadline: number): Promise<Recorded[]> {
  const events: Recorded[] = []
  for (let page: RecordedEvent[]; ; ) {
    const from = (events.at(-1)?.revision ?? -1n) + 1n
    page = await side.store.readStream(stream, { from, limit: eventsPerPage, deadline })
    events.push(...page.map(toRecorded))
    if (page.length < eventsPerPage) return events
  }
}

function shownEvent({ revision, type, data, metadata }: Recorded): ExportedUser['events'][number] {
  const { time, actor, $correlationId: requestId } = metadata
  const shown: JsonObject = { ...data }
  delete shown.passwordHash
  return { revision: Number(revision), type, time, actor, requestId, data: shown }
}

/** Every name that the account ever had, and when it was claimed; '' if the log does not tell. */
async function namesIn(
  side: WriteSide,
  events: readonly Recorded[],
  stream: string,
  deadline: number,
): Promise<ExportedUser['names']> {
  const names = new Map<string, Name>()
  const note = (kind: Name['kind'], name: string) =>
    name !== '' && names.set(`${kind} ${name}`, { kind, name })
  for (const { type, data } of events) {
    if (type === 'UserRegistered') note('username', data.username)
    if (type === 'UserRegistered' || type === 'EmailChanged') note('email', data.email)
  }
  return Promise.all(
    [...names.values()].map(async ({ kind, name }) => ({
      kind,
      name,
      claimedAt: await side.claims.claimedAt(kind, name, stream, deadline),
    })),
  )
}

type KnownSession = Omit<ExportedUser['sessions'][number], 'endedAt'> & {
  accountRevision: number
  revokedAt: string | null
}

function timeAt(events: readonly Recorded[], revision: number): string | null {
  return events.find(event => event.revision === BigInt(revision))?.metadata.time ?? null
}

/** The sessions that are not forgotten. */
async function sessionsOf(
  side: WriteSide,
  ids: readonly string[],
  deadline: number,
): Promise<KnownSession[]> {
  const found: KnownSession[] = []
  for (let from = 0; from < ids.length; from += sessionsAtOnce) {
    const some = ids.slice(from, from + sessionsAtOnce)
    const read = await Promise.all(some.map(id => sessionOf(side, id, deadline)))
    found.push(...read.filter(session => session !== null))
  }
  return found
}

/** The session as its last events tell; null if it is forgotten. */
async function sessionOf(side: WriteSide, id: string, deadline: number): Promise<KnownSession | null> {
  const last = await side.store.readStream(sessionStream(id), { direction: 'backwards', limit: 2, deadline })
  const events = last.map(toRecorded)
  const revoked = events.find(({ type }) => type === 'SessionRevoked')
  for (const { type, data } of events) {
    if (type !== 'SessionStarted' && type !== 'SessionRefreshed') continue
    const { device, addressRange, startedAt, accountRevision } = data
    const { currentIssuedAt: lastUsedAt, currentExpiresAt: expiresAt } = data
    const revokedAt = revoked?.metadata.time ?? null
    return { id, device, addressRange, startedAt, lastUsedAt, expiresAt, accountRevision, revokedAt }
  }
  return null
}
