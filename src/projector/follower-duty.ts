import type { Position } from '../event-store/event-store.ts'
import type { Duty } from './duty.ts'
import type { Follower, Work } from './follower.ts'
import { partitionOf } from './stable-hash.ts'

/** Beyond so many, every second is forgotten: what was read since then is read once more after a takeover. */
const mostPositions = 10_000

/** The duty of a follower that acts by itself: one work for each partition. */
export function createFollowerDuty(follower: Follower, isHeld: (partition: number) => boolean): Duty {
  const works = new Map<number, Work>()
  /** By partition, in order: EventStoreDB goes on only from positions that it gave itself. */
  const given = new Map<number, Position[]>()

  function note(partition: number, positions: readonly Position[]): void {
    const all = [...(given.get(partition) ?? []), ...positions]
    given.set(partition, all.length > mostPositions ? all.filter((_, n) => n % 2 === 0) : all)
  }

  /** The last position given that is not behind `done`; those before it are of no use any more. */
  function lastGiven(partition: number, done: Position): Position | undefined {
    const all = given.get(partition) ?? []
    const next = all.findIndex(position => position > done)
    const kept = next < 0 ? all.slice(-1) : all.slice(Math.max(0, next - 1))
    given.set(partition, kept)
    return kept[0]
  }

  return {
    async begin(holdings) {
      for (const { partition, checkpoint } of holdings) {
        works.set(partition, follower.begin({ partition, checkpoint, isHeld: () => isHeld(partition) }))
        given.set(partition, [checkpoint])
      }
    },

    async take(events, read, holdings) {
      for (const holding of holdings) {
        const { partition } = holding
        const own = events.filter(event => partitionOf(event.stream, follower.partitions) === partition)
        await works.get(partition)?.take(own, read)
        note(partition, [...own.map(({ position }) => position), read.through])
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
      const { partition } = holding
      const done = works.get(partition)?.done()
      if (done !== undefined) holding.checkpoint = lastGiven(partition, done) ?? holding.checkpoint
    },

    async tend() {},

    async end(partition) {
      const work = works.get(partition)
      works.delete(partition)
      given.delete(partition)
      await work?.end()
    },
  }
}
