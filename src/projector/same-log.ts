import { beforeAll, type EventStore } from '../event-store/event-store.ts'
import type { Lease } from '../read-store/read-store.ts'

/**
 * Why a checkpoint is not one of this log: it lies beyond the log's head, or the event that was applied last is not
 * there, or another. So a log that was replaced by an older copy of itself is noticed even after it has grown
 * again. Null if it fits. Throws StoreUnavailable.
 */
export async function misfit(eventStore: EventStore, lease: Lease, logId: string): Promise<string | null> {
  const { checkpoint, witness } = lease
  if (lease.logId !== logId) return `its checkpoint is of log ${lease.logId}, found log ${logId}`
  if (checkpoint === beforeAll) return null
  const head = await eventStore.head()
  if (checkpoint > head) return `its checkpoint ${checkpoint} lies beyond the log's head ${head}`
  if (witness === null) return null
  const { stream, revision, id } = witness
  const [event] = await eventStore.readStream(stream, { from: revision, limit: 1 })
  const applied = `event ${id} was applied as revision ${revision} of ${stream}`
  if (!event) return `${applied}, the log has no such revision`
  // A later one: the stream was truncated meanwhile.
  return event.revision > revision || event.id === id ? null : `${applied}, the log has ${event.id} there`
}
