import { isRegistered } from '../../account/account.ts'
import { accountStream } from '../../account/aggregates.ts'
import { claimStream, emailKey, usernameKey } from '../../account/names.ts'
import type { EventStore, JsonObject } from '../../event-store/event-store.ts'
import { accountAt } from '../../history/account-at.ts'
import type { Report } from './finding.ts'
import { allOf, type ScratchDocuments } from './scratch.ts'
import { claimantIn, type StreamChecks } from './streams.ts'

type Named = { id: number; username: string; email: string }
type Claimed = { owner: string; what: 'username' | 'email'; stream: string }

const namesAtOnce = 1000

/** Finds accounts whose names are claimed by somebody else, or by nobody: so two could have one, or it is lost. */
export async function checkNames(
  profiles: Pick<ScratchDocuments<JsonObject>, 'scan'>,
  streams: StreamChecks,
  { eventStore, namesKey, signal }: { eventStore: EventStore; namesKey: Buffer; signal: AbortSignal },
  report: Report,
): Promise<void> {
  async function check(claimed: readonly Claimed[]): Promise<void> {
    const claimants = await streams.claimants(claimed.map(({ stream }) => stream))
    for (const [index, each] of claimed.entries()) {
      if (claimants[index] === each.owner || (await isSettled(each))) continue
      const problem = `expected the ${each.what} to be claimed by its account, found ${claimants[index] ?? 'nobody'}`
      await report({ kind: 'name', stream: each.owner, problem })
    }
  }

  /** Names change hands in two steps; what was begun when the log was read may be done by now. */
  async function isSettled({ owner, what, stream }: Claimed): Promise<boolean> {
    const [last] = await eventStore.readStream(stream, { direction: 'backwards', limit: 1 })
    if (last && claimantIn(last) === owner) return true
    const { account } = await accountAt(eventStore, owner, { revision: Number.POSITIVE_INFINITY })
    if (!isRegistered(account)) return true
    return !claimsOf({ id: account.userId, username: account.username, email: account.email }).some(
      claim => claim.what === what && claim.stream === stream,
    )
  }

  function claimsOf({ id, username, email }: Named): Claimed[] {
    const owner = accountStream(id)
    const claims: Claimed[] = []
    const add = (what: Claimed['what'], stream: string) => claims.push({ owner, what, stream })
    if (username !== '') add('username', claimStream('username', usernameKey(username), namesKey))
    if (email !== '') add('email', claimStream('email', emailKey(email), namesKey))
    return claims
  }

  let waiting: Claimed[] = []
  for await (const { document } of allOf(profiles)) {
    if (!isNamed(document)) continue
    waiting.push(...claimsOf(document))
    if (waiting.length < namesAtOnce) continue
    if (signal.aborted) return
    await check(waiting)
    waiting = []
  }
  await check(waiting)
}

function isNamed(document: JsonObject | null): document is JsonObject & Named {
  return (
    typeof document?.id === 'number' &&
    typeof document.username === 'string' &&
    typeof document.email === 'string'
  )
}
