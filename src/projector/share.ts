import { stableHash } from './stable-hash.ts'

/** How many of a follower's partitions a worker should hold: all workers that live work out the same. */
export function fairShare(
  follower: string,
  partitions: number,
  workers: readonly string[],
  worker: string,
): number {
  // Another order for each follower, so that those with one partition do not all go to the same worker.
  const place = (id: string) => stableHash(`${follower} ${id}`)
  const order = workers.toSorted((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
  const rank = order.indexOf(worker)
  if (rank < 0) return 0
  return Math.floor(partitions / workers.length) + (rank < partitions % workers.length ? 1 : 0)
}
