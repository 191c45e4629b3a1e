import type { Recorded } from '../account/recorded.ts'
import { toRecorded } from '../account/upcasters.ts'
import type { Position, RecordedEvent } from '../event-store/event-store.ts'
import type { Follower } from '../projector/follower.ts'
import { createMailer } from './mailer.ts'

/**
 * The mailer as a follower with one partition: one works at a time, others stand by. Its checkpoint stays before the
 * oldest mail that is not settled, so that whoever takes over knows of it; and before the first event that it cannot
 * read, so that a version that can will send what that asks for. Mails to others go on.
 */
export function mailerFollower(options: Omit<Parameters<typeof createMailer>[0], 'mayAct'>): Follower {
  return {
    name: 'mailer',
    partitions: 1,
    streams: ['user-'],
    begin(hold) {
      const mailer = createMailer({ ...options, mayAct: () => hold.isHeld() })
      let observed = hold.checkpoint
      let beforeUnreadable: Position | null = null

      function readable(event: RecordedEvent): Recorded[] {
        try {
          return [toRecorded(event)]
        } catch (error) {
          options.log.warn({ err: error }, 'the mailer passes over an event; its checkpoint stays before it')
          beforeUnreadable ??= event.position - 1n
          return []
        }
      }

      return {
        async take(events, { through, caughtUp }) {
          mailer.observe(events.flatMap(readable))
          observed = through
          if (caughtUp) mailer.begin()
        },
        done: () => mailer.settledUpTo(beforeUnreadable ?? observed),
        end: () => mailer.stop(),
      }
    },
  }
}
