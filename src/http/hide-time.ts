import { setTimeout as pause } from 'node:timers/promises'

const hidingMs = 250

/**
 * Waits until 250 ms after a request's arrival, or the next multiple of that: what its answer must not tell, its time
 * does not tell either.
 */
export async function hideTime({ arrivedAt }: { arrivedAt: number }): Promise<void> {
  const passed = performance.now() - arrivedAt
  await pause(Math.ceil(passed / hidingMs) * hidingMs - passed)
}
