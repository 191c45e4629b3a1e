import type { AnyBulkWriteOperation } from 'mongodb'
import type { Collections, LeaseRow } from './mongodb-collections.ts'
import { duplicatesIn } from './mongodb-failures.ts'
import type { Lease, Progress } from './read-store.ts'

type Held = Pick<Progress, 'partition' | 'epoch'>

/** Leases are made by insert, and changed only while they have the epoch that the caller knows. */
export type Leases = ReturnType<typeof createLeases>

export function createLeases({ leases }: Collections) {
  const idOf = (follower: string, partition: number) => `${follower} ${partition}`

  async function lost(follower: string, held: readonly Held[]): Promise<number[]> {
    const rows = await leases.find({ follower }, { projection: { partition: 1, epoch: 1 } }).toArray()
    const epochs = new Map(rows.map(({ partition, epoch }) => [partition, epoch]))
    return held
      .filter(({ partition, epoch }) => epochs.get(partition) !== epoch)
      .map(({ partition }) => partition)
  }

  async function move(
    follower: string,
    progress: readonly Progress[],
    released: { owner?: null },
  ): Promise<number[]> {
    if (progress.length === 0) return []
    const moves = progress.map(({ partition, epoch, ...checkpoint }): AnyBulkWriteOperation<LeaseRow> => {
      const $set = { ...checkpoint, checkpoint: String(checkpoint.checkpoint), ...released }
      const $inc = { renewals: 1, ...(released.owner === null ? { epoch: 1 } : {}) }
      return { updateOne: { filter: { _id: idOf(follower, partition), epoch }, update: { $set, $inc } } }
    })
    const { matchedCount } = await leases.bulkWrite(moves, { ordered: false })
    // An epoch only grows: one that was another then is another now.
    return matchedCount === progress.length || released.owner === null ? [] : lost(follower, progress)
  }

  return {
    async prepare(): Promise<void> {
      await leases.createIndex({ follower: 1, partition: 1 })
    },

    async all(follower: string): Promise<Lease[]> {
      const rows = await leases.find({ follower }).sort({ partition: 1 }).toArray()
      return rows.map(({ _id, checkpoint, ...row }) => ({ ...row, checkpoint: BigInt(checkpoint) }))
    },

    async create(follower: string, partitions: number, logId: string): Promise<void> {
      const free = Array.from({ length: partitions }, (_, partition): LeaseRow => {
        const start = { checkpoint: '-1', caughtUp: false, searchable: false, witness: null }
        const nobody = { epoch: 0, owner: null, renewals: 0 }
        return { _id: idOf(follower, partition), follower, partition, logId, ...nobody, ...start }
      })
      await leases.insertMany(free, { ordered: false }).catch(error => {
        if (!duplicatesIn(error)) throw error
      })
    },

    async take(seen: Lease, owner: string): Promise<Lease | null> {
      const { follower, partition, epoch, renewals } = seen
      const { matchedCount } = await leases.updateOne(
        { _id: idOf(follower, partition), epoch, renewals },
        { $set: { owner }, $inc: { epoch: 1, renewals: 1 } },
      )
      return matchedCount === 1 ? { ...seen, owner, epoch: epoch + 1, renewals: renewals + 1 } : null
    },

    /** Moves checkpoints; returns the partitions whose epoch is another. */
    renew: (follower: string, progress: readonly Progress[]) => move(follower, progress, {}),

    /** Moves checkpoints and frees the leases. */
    async release(follower: string, progress: readonly Progress[]): Promise<void> {
      await move(follower, progress, { owner: null })
    },

    lost,
  }
}
