import type { Position } from '../event-store/event-store.ts'
import type { Lease, Progress } from '../read-store/read-store.ts'

/**
 * A partition that this process feeds. Events up to `taken` were handed out; `checkpoint` may lie before, where work
 * is not settled. `confirmedAt`: `performance.now()` milliseconds at the beginning of its last renewal.
 */
export type Holding = Progress & { taken: Position; confirmedAt: number }

export function holdingOf(lease: Lease, confirmedAt: number): Holding {
  const { partition, epoch, checkpoint, caughtUp, searchable, witness } = lease
  return { partition, epoch, checkpoint, caughtUp, searchable, witness, taken: checkpoint, confirmedAt }
}

export function progressOf(holding: Holding): Progress {
  const { partition, epoch, checkpoint, caughtUp, searchable, witness } = holding
  return { partition, epoch, checkpoint, caughtUp: caughtUp && searchable, searchable, witness }
}
