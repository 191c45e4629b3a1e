import type { Collections } from './mongodb-collections.ts'
import { duplicatesIn, isDuplicateKey } from './mongodb-failures.ts'
import type { ParkedStream, Pointer, Worker } from './read-store.ts'

/** Pointers, workers and parked streams. */
export type Books = ReturnType<typeof createBooks>

export function createBooks({ pointers, workers, parked }: Collections) {
  const idOf = (follower: string, stream: string) => `${follower} ${stream}`

  return {
    async prepare(): Promise<void> {
      await parked.createIndex({ follower: 1, stream: 1 })
    },

    async pointer(projection: string): Promise<Pointer | null> {
      return (await pointers.findOne({ _id: projection }))?.pointer ?? null
    },

    async movePointer(pointer: Pointer): Promise<boolean> {
      const { projection: _id, epoch } = pointer
      if (epoch > 0) {
        const update = { $set: { epoch, pointer } }
        return (await pointers.updateOne({ _id, epoch: epoch - 1 }, update)).matchedCount === 1
      }
      try {
        await pointers.insertOne({ _id, epoch, pointer })
        return true
      } catch (error) {
        if (isDuplicateKey(error)) return false
        throw error
      }
    },

    async beat(worker: string, feeds: readonly string[]): Promise<void> {
      const again = { $set: { feeds }, $inc: { beats: 1 } }
      if ((await workers.updateOne({ _id: worker }, again)).matchedCount > 0) return
      await workers.insertOne({ _id: worker, beats: 1, feeds }).catch(async error => {
        if (!isDuplicateKey(error)) throw error
        await workers.updateOne({ _id: worker }, again)
      })
    },

    async workers(): Promise<Worker[]> {
      const rows = await workers.find().toArray()
      return rows.map(({ _id, beats, feeds }) => ({ id: _id, beats, feeds: [...feeds] }))
    },

    async removeWorker(worker: string): Promise<void> {
      await workers.deleteOne({ _id: worker })
    },

    async park(streams: readonly ParkedStream[]): Promise<void> {
      const put = streams.map(each => {
        const _id = idOf(each.follower, each.stream)
        return { replaceOne: { filter: { _id }, replacement: { _id, ...each }, upsert: true } }
      })
      await parked.bulkWrite(put, { ordered: false }).catch(async error => {
        // Somebody parked one of them at the same moment.
        if (!duplicatesIn(error)) throw error
        await parked.bulkWrite(put, { ordered: false })
      })
    },

    async parked(follower?: string): Promise<ParkedStream[]> {
      const filter = follower === undefined ? {} : { follower }
      const rows = await parked.find(filter).sort({ follower: 1, stream: 1 }).toArray()
      return rows.map(({ _id, ...row }) => ({ ...row, revision: BigInt(row.revision) }))
    },

    /** Those of the streams that are parked. */
    async parkedAmong(follower: string, streams: readonly string[]): Promise<Set<string>> {
      const ids = streams.map(stream => idOf(follower, stream))
      const rows = await parked.find({ _id: { $in: ids } }, { projection: { stream: 1 } }).toArray()
      return new Set(rows.map(({ stream }) => stream))
    },

    async requestRetry(follower: string, stream: string): Promise<boolean> {
      const retry = { $set: { retry: true } }
      return (await parked.updateOne({ _id: idOf(follower, stream) }, retry)).matchedCount === 1
    },

    async unpark(follower: string, stream: string): Promise<void> {
      await parked.deleteOne({ _id: idOf(follower, stream) })
    },
  }
}
