import type { Follower } from '../projector/follower.ts'
import { type Chores, type ChoresLog, createChores } from '../sweeper/chores.ts'
import { createEraser, type EraserOptions } from './eraser.ts'

export type EraserFollowerOptions = EraserOptions & {
  log: EraserOptions['log'] & ChoresLog
  /** After so long no command that began before an erasure is still under way: then what came late is removed. */
  lateMs: number
  firstPauseMs?: number
}

/**
 * The eraser as a follower with one partition. Its checkpoint stays before an erasure until nothing is left of the user,
 * so that whoever takes over does it all again.
 */
export function eraserFollower(options: EraserFollowerOptions): Follower {
  return {
    name: 'eraser',
    partitions: 1,
    streams: ['user-', 'session-'],
    begin(hold) {
      const eraser = createEraser(options)
      const chores: Chores = createChores(options)
      const stopping = new AbortController()
      let observed = hold.checkpoint
      return {
        async take(events, { through }) {
          for (const event of events) {
            const { type, position } = event
            if (type === 'UserErased') {
              const erase = () => eraser.erase(event, stopping.signal)
              chores.add('erase a user', position, erase)
              chores.add('erase what came late', position, erase, { afterMs: options.lateMs })
            } else if (type === 'SessionForgotten') {
              chores.add('forget a session', position, () => eraser.forgetInFrozen(event))
            }
          }
          observed = through
          await chores.room()
        },
        done: () => chores.doneUpTo(observed),
        async end() {
          stopping.abort()
          await chores.stop()
        },
      }
    },
  }
}
