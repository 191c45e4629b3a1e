import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

/** `loadGoesOn`: for a while after the kill, where the API is not part of it. */
type Killing = { victims: readonly string[]; loadGoesOn?: true }

const killWithinMs = 1500
const surgeLastsMs = 60
const loadGoesOnMs = 1000
/** In a hundred: starts that are killed too. */
const falseStarts = 30

/** Kills processes at random moments, again and again. */
export function kill({ victims, loadGoesOn }: Killing): Fault['commit'] {
  return async ({ service, underLoad }, { isQuick }) => {
    const times = isQuick ? 2 : 5
    for (let n = 0; n < times; n++) {
      await underLoad(async load => {
        await pause(200 + randomInt(killWithinMs))
        load.surge()
        await pause(randomInt(surgeLastsMs))
        await service.kill(victims)
        if (loadGoesOn) await pause(loadGoesOnMs)
      })
      // The last start is timed with the recovery.
      if (n < times - 1) await service.revive(falseStarts)
    }
    return `${times} × kill -9 of ${victims.join(', ')}`
  }
}
