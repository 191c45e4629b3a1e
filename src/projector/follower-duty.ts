import type { Duty } from './duty.ts'
import type { Follower, Work } from './follower.ts'
import { partitionOf } from './stable-hash.ts'

/** The duty of a follower that acts by itself: one work for each partition. */
export function createFollowerDuty(follower: Follower, isHeld: (partition: number) => boolean): Duty {
  const works = new Map<number, Work>()

  return {
    async begin(holdings) {
      for (const { partition, checkpoint } of holdings) {
        works.set(partition, follower.begin({ partition, checkpoint, isHeld: () => isHeld(partition) }))
      }
    },

    async take(events, read, holdings) {
      for (const holding of holdings) {
        const { partition } = holding
        const own = events.filter(event => partitionOf(event.stream, follower.partitions) === partition)
        await works.get(partition)?.take(own, read)
        holding.taken = read.through
        holding.caughtUp = read.caughtUp
        const last = own.at(-1)
        if (last) holding.witness = { stream: last.stream, revision: last.revision, id: last.id }
      }
      return []
    },

    async finish(holdings) {
      for (const holding of holdings) holding.searchable = true
      return false
    },

    settle(holding) {
      holding.checkpoint = works.get(holding.partition)?.done() ?? holding.checkpoint
    },

    async tend() {},

    async end(partition) {
      const work = works.get(partition)
      works.delete(partition)
      await work?.end()
    },
  }
}
