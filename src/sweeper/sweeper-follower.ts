import type { Follower } from '../projector/follower.ts'
import { createSweeper, type SweeperOptions } from './sweeper.ts'

/** The sweeper as a follower with one partition: one works at a time, others stand by. */
export function sweeperFollower(options: SweeperOptions): Follower {
  return {
    name: 'sweeper',
    partitions: 1,
    streams: ['session-'],
    begin(hold) {
      const sweeper = createSweeper({ ...options, mayAct: () => hold.isHeld() })
      let observed = hold.checkpoint
      return {
        async take(events, { through, caughtUp }) {
          await sweeper.observe(events)
          observed = through
          if (caughtUp) sweeper.begin()
        },
        done: () => sweeper.doneUpTo(observed),
        end: () => sweeper.stop(),
      }
    },
  }
}
