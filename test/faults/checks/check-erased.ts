import { setTimeout as pause } from 'node:timers/promises'
import { openEventStore, withStore } from '../../../src/open-stores.ts'
import { type Caller, told } from '../load/caller.ts'
import { inParallel } from '../load/in-parallel.ts'
import { type Ledger, type Member, wasErased } from '../load/ledger.ts'
import { newAttempt } from '../load/members.ts'
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
    const suspects = await streamsWithAny(left, truth)
    left = left.filter(username => suspects.some(stream => stream.includes(username)))
    if (performance.now() < end) continue
    ledger.violations.push(...left.map(username => `${username} was erased: expected no trace in the log`))
    return
  }
}

/** The streams in which one of the names was, as JSON: read one by one, as `$all` has truncated events too. */
async function streamsWithAny(usernames: readonly string[], truth: Truth): Promise<string[]> {
  const toJson = (events: readonly { data: unknown }[]) => JSON.stringify(events.map(({ data }) => data))
  const streams = [...(await readLog(truth))].filter(([, events]) => {
    const json = toJson(events)
    return usernames.some(username => json.includes(username))
  })
  return withStore(openEventStore(truth), store =>
    Promise.all(streams.map(async ([stream]) => toJson(await store.readStream(stream)))),
  )
}

function logIn(caller: Caller, { username, password }: Member) {
  return caller.insist('POST', '/api/token/obtain/', { json: { username, password: password.sure } })
}
