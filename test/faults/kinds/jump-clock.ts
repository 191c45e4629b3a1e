import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { setClock } from '../world/fake-clock.ts'

const heldMs = 2000

/** Jumps the clock an hour ahead, an hour back of what it was, and right again, over a restart each. */
export const jumpClock: Fault['commit'] = async ({ folder, service, underLoad }) => {
  for (const hours of [1, -1, 0]) {
    await underLoad(async load => {
      await pause(500)
      await setClock(folder, hours)
      await pause(heldMs)
      load.surge()
      await pause(200)
      await service.kill(service.names)
    })
    await service.revive(0)
  }
  return 'the clock +1 h, −1 h and right again, kill -9 of all after each'
}
