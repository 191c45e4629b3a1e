import type { Position, RecordedEvent } from '../event-store/event-store.ts'
import type { Holding } from './holding.ts'

/** How far a reading of the log has come. */
export type Read = { through: Position; caughtUp: boolean }

/** What a process does with the partitions of a follower that it holds. The holdings given are its live ones. */
export type Duty = {
  /** Partitions were got; nothing is taken for them before this resolves. */
  begin(holdings: readonly Holding[]): Promise<void>
  /**
   * Works on the partitions' next events and moves their holdings on. Returns the partitions that turned out to be
   * lost. Safe to be called again with the same events after it threw.
   */
  take(events: readonly RecordedEvent[], read: Read, holdings: readonly Holding[]): Promise<number[]>
  /** There was nothing left to take. True if it took so long to finish that this may not be so any more. */
  finish(holdings: readonly Holding[], signal: AbortSignal): Promise<boolean>
  /** Brings `checkpoint` up to date before it is stored. */
  settle(holding: Holding): void
  /** Now and then, besides. */
  tend(holdings: readonly Holding[]): Promise<void>
  /** The partition is lost or given up: resolves when there will be no more effects. */
  end(partition: number): Promise<void>
}
