import { getPriority, setPriority } from 'node:os'

const niceness = 10

/** Lets other processes of the machine go first, if this one does not yet. Where that may not be, all goes on as it was. */
export function lowerPriority(): void {
  try {
    // An ordinary user may only ever raise it: under `nice -n 15` there is nothing to do.
    setPriority(Math.max(getPriority(), niceness))
  } catch {
    // Nothing depends on it.
  }
}
