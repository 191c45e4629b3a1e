import { hkdfSync } from 'node:crypto'
import { erasedUsers, tellsOf } from '../account/erasures.ts'
import type { Position } from '../event-store/event-store.ts'
import { readIdentity } from '../event-store/log-identity.ts'
import { type EventText, untruncated, type WholeEventStore } from '../event-store/log-transfer.ts'
import { createEventLines } from './export-file/event-lines.ts'
import { type ExportSignature, footerLine, headerLine, saltLength, sha256 } from './export-file/format.ts'

export type Exporting = {
  store: WholeEventStore
  /** One user's events, or null for the whole log. */
  userId: number | null
  sign?: (chain: string) => ExportSignature
  /** Takes what comes next of the file; bytes are used again once it resolves. */
  write(text: string | Buffer): Promise<void>
  onProgress?(progress: { events: number; position: Position; head: Position }): void
  signal?: AbortSignal
}

/** The log has not even a name: nothing was ever written to it. */
export class EmptyLog extends Error {
  override readonly name = 'EmptyLog'
}

/**
 * Writes the log as it is now, whatever is appended meanwhile, and resolves to the number of events; to null if it was
 * told to stop. Leaves out what is truncated or was to be forgotten. Memory does not grow with the log.
 */
export async function exportLog(exporting: Exporting): Promise<number | null> {
  const { store, userId, write, signal } = exporting
  const head = await store.head()
  const identity = await readIdentity(store)
  if (!identity) throw new EmptyLog('expected a log with events, found an empty one')
  const erased = await erasedUsers(store, { upTo: head })
  const saltOf = salts(identity.namesKey)
  const header = headerLine({ log: identity.logId, scope: userId === null ? 'log' : `user-${userId}` })
  const isForgotten = ({ stream, type, metadata }: EventText) =>
    erased.size > 0 && erased.has(tellsOf({ stream, type, userId: () => read(metadata).userId }) ?? -1)
  const belongs = userId === null ? () => true : belongingTo(userId)
  const lines = createEventLines(header.chain)
  let events = 0
  let last = '{}'

  const texts = store.readTexts({
    ...(userId === null ? {} : { filter: { prefixes: streamsOf(userId) } }),
    ...(signal ? { signal } : {}),
  })
  await write(header.text)
  // The lines of one batch are made while those of the one before are written.
  let writing = Promise.resolve()
  for await (const batch of untruncated(store, texts)) {
    for (const event of batch.events) {
      if (event.position > head) break
      if (isForgotten(event) || !belongs(event)) continue
      lines.add(events + 2, event, saltOf(event.id))
      last = event.metadata
      events++
    }
    await writing
    writing = write(lines.take())
    // What goes wrong is thrown where it is awaited.
    writing.catch(() => {})
    exporting.onProgress?.({ events, position: batch.checkpoint, head })
    if (batch.checkpoint >= head) break
  }
  await writing
  if (signal?.aborted) return null
  const { time } = read(last)
  const until = typeof time === 'string' ? time : null
  await write(`\n${footerLine(lines.chain(), { events, until }, exporting.sign).text}\n`)
  return events
}

/**
 * A salt is worked out from the log's own key and the event's id, so that a log exports to the same bytes again, from
 * any store. Where content and salt are taken out, the id is gone too, and with it the way to the salt.
 */
function salts(namesKey: Buffer): (eventId: string) => string {
  const key = Buffer.from(hkdfSync('sha256', namesKey, '', 'roster export salts', 32)).toString('base64url')
  return eventId => sha256(key + eventId).slice(0, saltLength)
}

const streamsOf = (userId: number) => [
  `user-${userId}`,
  ...['session-', 'username-', 'email-', 'registration-'],
]

function belongingTo(userId: number): (event: EventText) => boolean {
  const account = `user-${userId}`
  return ({ stream, metadata, data }) => {
    if (stream.startsWith('user-')) return stream === account
    if (stream.startsWith('session-')) return read(metadata).userId === userId
    return read(data).stream === account
  }
}

function read(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
