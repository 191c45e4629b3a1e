import { hkdfSync } from 'node:crypto'
import { erasedUsers, tellsOf } from '../account/erasures.ts'
import type { Position } from '../event-store/event-store.ts'
import { readIdentity } from '../event-store/log-identity.ts'
import { type EventText, untruncated, type WholeEventStore } from '../event-store/log-transfer.ts'
import { createEventLines } from './export-file/event-lines.ts'
import { type ExportSignature, footerLine, headerLine } from './export-file/format.ts'
import type { SealedLines } from './export-file/seal-lines.ts'
import { createSealer } from './export-file/sealer.ts'

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

/** So that reading, sealing and writing go on at once. */
const batchesUnderWay = 3

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
  const header = headerLine({ log: identity.logId, scope: userId === null ? 'log' : `user-${userId}` })
  const isForgotten = ({ stream, type, metadata }: EventText) =>
    erased.size > 0 && erased.has(tellsOf({ stream, type, userId: () => read(metadata).userId }) ?? -1)
  const belongs = userId === null ? () => true : belongingTo(userId)
  const texts = store.readTexts({
    ...(userId === null ? {} : { filter: { prefixes: streamsOf(userId) } }),
    ...(signal ? { signal } : {}),
  })
  const lines = createEventLines()
  const sealer = createSealer({ chain: header.chain, saltKey: saltKeyOf(identity.namesKey) })
  const underWay: Promise<void>[] = []
  let { chain } = header
  let events = 0
  let last = '{}'

  async function writeSealed(
    sealing: Promise<SealedLines>,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const sealed = await sealing
    await before
    await write(Buffer.from(sealed.bytes.buffer, sealed.bytes.byteOffset, sealed.bytes.length))
    lines.giveBack(sealed.bytes)
    chain = sealed.chain
  }

  try {
    await write(header.text)
    for await (const batch of untruncated(store, texts)) {
      for (const event of batch.events) {
        if (event.position > head) break
        if (isForgotten(event) || !belongs(event)) continue
        lines.add(events + 2, event)
        last = event.metadata
        events++
      }
      const writing = writeSealed(sealer.seal(lines.take()), underWay.at(-1))
      // What goes wrong is thrown where it is awaited.
      writing.catch(() => {})
      underWay.push(writing)
      if (underWay.length > batchesUnderWay) await underWay.shift()
      exporting.onProgress?.({ events, position: batch.checkpoint, head })
      if (batch.checkpoint >= head) break
    }
    await underWay.at(-1)
  } finally {
    await sealer.stop()
  }
  if (signal?.aborted) return null
  const { time } = read(last)
  const until = typeof time === 'string' ? time : null
  await write(`\n${footerLine(chain, { events, until }, exporting.sign).text}\n`)
  return events
}

function saltKeyOf(namesKey: Buffer): string {
  return Buffer.from(hkdfSync('sha256', namesKey, '', 'roster export salts', 32)).toString('base64url')
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
