const hidingMs = 250
const realTime = {
  monotonicNow: () => performance.now(),
  pause: (milliseconds: number) => new Promise<void>(resolve => setTimeout(resolve, milliseconds)),
}

/**
 * Waits until 250 ms after a request's arrival, or the next multiple of that: what its answer must not tell, its time
 * does not tell either.
 */
export type HideTime = (exchange: { arrivedAt: number }) => Promise<void>

/** `time`: how the waiting is timed, in milliseconds. */
export function createHideTime(time: typeof realTime = realTime): HideTime {
  return ({ arrivedAt }) => {
    const passed = time.monotonicNow() - arrivedAt
    return time.pause(Math.ceil(passed / hidingMs) * hidingMs - passed)
  }
}
