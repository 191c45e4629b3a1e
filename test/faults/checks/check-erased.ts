import { setTimeout as pause } from 'node:timers/promises'
import { openEventStore, withStore } from '../../../src/open-stores.ts'
import { type Caller, told } from '../load/caller.ts'
import { inParallel } from '../load/in-parallel.ts'
import { type Ledger, type Member, wasErased } from '../load/ledger.ts'
import { newAttempt } from '../load/operations.ts'
import type { Truth, World } from '../world/world.ts'
import { readLog } from './read-log.ts'

const width = 24
const forgottenWithinMs = 60_000

/** Whose erasure got no answer either can still log in, or is erased like the others. */
export async function resolveErasures(ledger: Ledger, caller: Caller): Promise<void> {
  const open = ledger.members.filter(({ mayBeErased }) => mayBeErased)
  await inParallel(open, width, async member => {
    const reply = await logIn(caller, member)
    if (reply?.status === 401) wasErased(ledger, member)
    else if (reply?.status === 200) member.mayBeErased = false
    else ledger.violations.push(`login of ${member.username}, who may be erased: ${told(reply)}`)
  })
}

/** Nobody who was erased can log in, is shown or gives up the username; the address is free. */
export async function checkErased({ ledger, truth }: World, caller: Caller): Promise<void> {
  const touched = ledger.erased.filter(member => member.touched)
  await inParallel(touched, width, async member => {
    const { username } = member
    const login = await logIn(caller, member)
    const profile = await caller.insist('GET', `/api/users/${username}/`)
    const again = await caller.insist('POST', '/api/user/create/', { json: { ...newAttempt(), username } })
    if (login?.status !== 401 || profile?.status !== 404 || again?.status !== 400)
      ledger.violations.push(
        `${username}, who was erased: login ${told(login)}, profile ${told(profile)}, registration ${told(again)}`,
      )
    member.touched = false
  })
  const end = performance.now() + forgottenWithinMs
  const names = touched.map(({ username }) => username)
  for (let left = names; left.length > 0; await pause(200)) {
    const told = await streamsThatTell(truth, left)
    left = left.filter(username => told.some(stream => stream.includes(username)))
    if (performance.now() < end) continue
    ledger.violations.push(...left.map(username => `${username} was erased: expected no trace in the log`))
    return
  }
}

/** The streams that have one of the names in them, as JSON: read one by one, as `$all` has truncated events too. */
async function streamsThatTell(truth: Truth, usernames: readonly string[]): Promise<string[]> {
  const tells = (events: unknown) => usernames.some(username => JSON.stringify(events).includes(username))
  const dataOf = (events: readonly { data: unknown }[]) => events.map(({ data }) => data)
  const log = await readLog(truth)
  const suspects = [...log].filter(([, events]) => tells(dataOf(events))).map(([stream]) => stream)
  return withStore(openEventStore(truth), async store => {
    const found = await Promise.all(suspects.map(async stream => dataOf(await store.readStream(stream))))
    return found.filter(tells).map(data => JSON.stringify(data))
  })
}

function logIn(caller: Caller, { username, password }: Member) {
  return caller.insist('POST', '/api/token/obtain/', { json: { username, password: password.sure } })
}
