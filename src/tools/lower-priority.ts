import { spawnSync } from 'node:child_process'
import { constants, setPriority } from 'node:os'

/** Lets other processes of the machine go first. Where that may not be, all goes on as it was. */
export function lowerPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW)
  } catch {
    // Nothing depends on it.
  }
  // Linux lets even the nicest process finish its slice before one that wakes up gets the core; not so under SCHED_IDLE
  // (sched(7)). Node cannot ask for that, util-linux can; without it, it is as nice as it can be.
  spawnSync('chrt', ['-a', '-i', '-p', '0', String(process.pid)], { stdio: 'ignore' })
}
