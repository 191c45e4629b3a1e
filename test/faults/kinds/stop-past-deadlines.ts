import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

/** Longer than leases (5 s) and the deadline of commands (5 s). */
const stoppedMs = 7000
const apartMs = 1500

/**
 * Stops processes where they are (SIGSTOP) until others have taken over their work, and lets them go on as if nothing had
 * happened.
 */
export const stopPastDeadlines: Fault['commit'] = async ({ service, underLoad }, { isQuick }) => {
  const turns = isQuick ? [['projector', 'mailer', 'api']] : [['projector'], ['mailer'], ['api']]
  await underLoad(async load => {
    for (const victims of turns) {
      await pause(apartMs)
      load.surge()
      service.signal(victims, 'SIGSTOP')
      await pause(stoppedMs)
      service.signal(victims, 'SIGCONT')
    }
    await pause(apartMs)
  })
  return `SIGSTOP for ${stoppedMs / 1000} s of ${turns.map(victims => victims.join(' and ')).join(', then ')}`
}
