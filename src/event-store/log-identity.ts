import { randomBytes, randomUUID } from 'node:crypto'
import type { LogCreated } from '../account/events.ts'
import { currentVersion, toRecorded } from '../account/upcasters.ts'
import { type EventStore, noStream, RevisionConflict } from './event-store.ts'

/** `namesKey`: the 32 bytes under which names become stream names. */
export type LogIdentity = { logId: string; namesKey: Buffer }

const stream = 'log'
const namesKeyBytes = 32

/**
 * Which log this is. An empty log is given its identity here, once: of several first starts at the same time one
 * wins, and all return what it wrote. Throws StoreUnavailable.
 */
export async function openLog(store: EventStore, now = () => new Date()): Promise<LogIdentity> {
  const known = await readIdentity(store)
  if (known) return known
  try {
    await store.append(stream, [logCreated(now())], noStream)
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error
  }
  const created = await readIdentity(store)
  if (!created) throw new Error(`expected LogCreated in stream ${stream} after creating it, found no event`)
  return created
}

/** Which log this is, undefined if it is empty. Throws StoreUnavailable. */
export async function readIdentity(store: EventStore): Promise<LogIdentity | undefined> {
  const [first] = await store.readStream(stream, { limit: 1 })
  if (!first) return undefined
  const event = toRecorded(first)
  if (event.type !== 'LogCreated') {
    throw new Error(`expected LogCreated as the first event of stream ${stream}, found ${event.type}`)
  }
  const namesKey = Buffer.from(event.data.namesKey, 'base64url')
  if (namesKey.length !== namesKeyBytes) {
    throw new Error(`expected a key of ${namesKeyBytes} bytes in stream ${stream}, found ${namesKey.length}`)
  }
  return { logId: event.data.logId, namesKey }
}

function logCreated(now: Date) {
  const event: LogCreated = {
    type: 'LogCreated',
    data: { logId: randomUUID(), namesKey: randomBytes(namesKeyBytes).toString('base64url') },
  }
  const id = randomUUID()
  return {
    ...event,
    id,
    metadata: {
      actor: 'system' as const,
      time: now.toISOString(),
      $correlationId: id,
      $causationId: id,
      version: currentVersion(event.type),
    },
  }
}
