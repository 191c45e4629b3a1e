import type { Position, RecordedEvent } from '../event-store/event-store.ts'

/** Something that follows the log and acts: one worker at a time for each of its partitions. */
export type Follower = {
  name: string
  /** Streams are shared out over them by a stable hash. Fixed for ever once the follower has run. */
  partitions: number
  /** Prefixes of the streams it wants. */
  streams: readonly string[]
  /** Begins work on a partition that this process has just got, behind its stored checkpoint. */
  begin(hold: Hold): Work
}

export type Hold = {
  partition: number
  /** What was stored as done: the first events taken come after it. */
  checkpoint: Position
  /** Whether nobody else can have got the partition yet: ask right before an effect outside. */
  isHeld(): boolean
}

export type Work = {
  /**
   * Takes the partition's next events, in order. Others wait until it resolves: let long work go on behind it, and
   * `done` wait for that. Called without events too, when there were none or they were others'.
   */
  take(events: readonly RecordedEvent[], read: { through: Position; caughtUp: boolean }): Promise<void>
  /** Everything up to here is settled, and need not be handed out again after a restart. */
  done(): Position
  /** The partition is lost or given up: resolves when there will be no more effects. */
  end(): Promise<void>
}
