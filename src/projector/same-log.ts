import { beforeAll, type EventStore, type Position } from '../event-store/event-store.ts'
import type { Lease } from '../read-store/read-store.ts'
import { partitionOf } from './stable-hash.ts'

/** What a follower follows of a log. */
export type FollowedLog = { logId: string; streams: readonly string[]; partitions: number }

/**
 * Why a checkpoint is not one of this log: it lies beyond the log's head, or what was applied up to there is not what
 * the log has. So a log that was replaced by an older copy of itself is noticed even after it has grown again. Null if
 * it fits. Throws StoreUnavailable.
 */
export async function misfit(
  eventStore: EventStore,
  lease: Lease,
  followed: FollowedLog,
): Promise<string | null> {
  const { checkpoint, witness } = lease
  if (lease.logId !== followed.logId)
    return `its checkpoint is of log ${lease.logId}, found log ${followed.logId}`
  if (checkpoint === beforeAll) return null
  const head = await eventStore.head()
  if (checkpoint > head) return `its checkpoint ${checkpoint} lies beyond the log's head ${head}`
  if (witness === null) return unappliedUpTo(eventStore, beforeAll, lease, followed)
  const { stream, revision, id } = witness
  const [event] = await eventStore.readStream(stream, { from: revision, limit: 1 })
  const applied = `event ${id} was applied as revision ${revision} of ${stream}`
  if (!event) return `${applied}, the log has no such revision`
  // A later one: the stream was truncated meanwhile.
  if (event.revision > revision) return null
  if (event.id !== id) return `${applied}, the log has ${event.id} there`
  // Events of servers before EventStoreDB 22.6 have no position when read by stream.
  if (event.position <= 0n) return null
  return unappliedUpTo(eventStore, event.position, lease, followed)
}

/** An older copy may have grown by events that the checkpoint has passed without knowing them. */
async function unappliedUpTo(
  eventStore: EventStore,
  after: Position,
  { partition, checkpoint }: Lease,
  { streams: prefixes, partitions }: FollowedLog,
): Promise<string | null> {
  for await (const batch of eventStore.readAll({ after, filter: { prefixes } })) {
    for (const { stream, revision, position } of batch.events) {
      if (position > checkpoint) return null
      if (partitionOf(stream, partitions) === partition) {
        return `revision ${revision} of ${stream} lies before its checkpoint ${checkpoint}, and was not applied`
      }
    }
    if (batch.checkpoint >= checkpoint) return null
  }
  return null
}
