import { toRecorded } from '../account/upcasters.ts'
import type { Follower } from '../projector/follower.ts'
import { createMailer } from './mailer.ts'

/**
 * The mailer as a follower with one partition: one works at a time, others stand by. Its checkpoint stays before the
 * oldest mail that is not settled, so that whoever takes over knows of it.
 */
export function mailerFollower(options: Omit<Parameters<typeof createMailer>[0], 'mayAct'>): Follower {
  return {
    name: 'mailer',
    partitions: 1,
    streams: ['user-'],
    begin(hold) {
      const mailer = createMailer({ ...options, mayAct: () => hold.isHeld() })
      let observed = hold.checkpoint
      return {
        async take(events, { through, caughtUp }) {
          mailer.observe(events.map(toRecorded))
          observed = through
          if (caughtUp) mailer.begin()
        },
        done: () => mailer.settledUpTo(observed),
        end: () => mailer.stop(),
      }
    },
  }
}
