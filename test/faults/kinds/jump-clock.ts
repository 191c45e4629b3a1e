import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { setClock } from '../world/fake-clock.ts'

const heldMs = 2000

/** Jumps the clock an hour ahead, an hour back of what it was, and right again, over a restart each. */
export const jumpClock: Fault['commit'] = async ({ folder, service, underLoad, ledger }) => {
  for (const hours of [1, -1, 0]) {
    await underLoad(async load => {
      await pause(500)
      await setClock(folder, hours)
      await pause(heldMs)
      const found = await hoursOff(service.url())
      if (found !== hours)
        ledger.violations.push(`the clock jumped: expected Roster to be ${hours} h off, found ${found}`)
      load.surge()
      await pause(200)
      await service.kill(service.names)
    })
    await service.revive(0)
  }
  return 'the clock +1 h, −1 h and right again, kill -9 of all after each'
}

/** As the answers' `Date` has it, rounded; NaN if there is none. */
async function hoursOff(url: string): Promise<number> {
  const answer = await fetch(`${url}/healthz`)
  await answer.arrayBuffer()
  const off = Date.parse(answer.headers.get('date') ?? '') - Date.now()
  // Not −0, for what is right.
  return Math.round(off / 3_600_000) + 0
}
