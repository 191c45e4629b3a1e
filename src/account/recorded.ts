import type { EventMetadata, Position, Revision } from '../event-store/event-store.ts'
import type { RosterEvent } from './events.ts'

/** A domain event as read from the log, upcast to its newest version. `Stored` narrows by `type` as usual. */
export type Recorded<E extends RosterEvent = RosterEvent> = E & {
  id: string
  stream: string
  revision: Revision
  position: Position
  metadata: EventMetadata
}
