/**
 * The log of the wire-level EventStoreDB: which append is accepted, refused or taken for a repetition, what is
 * deleted or truncated, and at which position everything stands. It outlives the server that serves it.
 */

export type Proposed = { id: string; type: string; isJson: boolean; data: Uint8Array; metadata: Uint8Array }
export type LogRecord = Proposed & {
  stream: string
  revision: bigint
  /** Where the record begins in the log, as commit and as prepare position. */
  position: bigint
  /** Where the record after it begins. */
  end: bigint
  created: Date
}

/** Expected revisions that are no revision. */
export const noStream = -1n
export const any = -2n
export const streamExists = -4n
/** The last revision of a tombstoned stream, and what a soft delete truncates before. */
export const deletedRevision = 2n ** 63n - 1n

export type Appended = { outcome: 'appended'; revision: bigint; position: bigint }
export type Refused = { outcome: 'conflict'; actual: bigint } | { outcome: 'deleted' }
/** What of a stream can be read: nothing at all, or events from `first` on that are no older than `since`. */
export type Readable =
  | { state: 'missing' | 'tombstoned' }
  | { state: 'present'; first: bigint; last: bigint; since: Date | null }

export type EventLog = ReturnType<typeof createLog>

const startOfEvents = 512n
const systemStream = (stream: string) => stream.startsWith('$$')
const metadataOf = (stream: string) => `$$${stream}`
const originalOf = (stream: string) => stream.slice(2)
const json = (type: string, data: unknown): Proposed => ({
  id: crypto.randomUUID(),
  type,
  isJson: true,
  data: Buffer.from(JSON.stringify(data)),
  metadata: new Uint8Array(),
})

/** `bootEvents`: begin with system events, as every real log does. */
export function createLog({ bootEvents = true }: { bootEvents?: boolean } = {}) {
  const records: LogRecord[] = []
  const streams = new Map<string, LogRecord[]>()
  const tombstoned = new Set<string>()
  const watchers = new Set<(record: LogRecord) => void>()
  /** As the real one, forgotten at a restart. */
  const committed = new Map<string, LogRecord>()
  let end = startOfEvents

  function lastRevision(stream: string): bigint {
    if (tombstoned.has(systemStream(stream) ? originalOf(stream) : stream)) return deletedRevision
    return BigInt(streams.get(stream)?.length ?? 0) - 1n
  }

  function limitsOf(stream: string): { before: bigint; count: bigint | null; age: number | null } {
    if (systemStream(stream)) return { before: 0n, count: 1n, age: null }
    const metadata = rawMetadata(stream)
    const { $tb, $maxCount, $maxAge } = metadata
    const before = typeof $tb === 'number' ? BigInt($tb) : 0n
    return {
      before: before > deletedRevision ? deletedRevision : before,
      count: typeof $maxCount === 'number' ? BigInt($maxCount) : null,
      age: typeof $maxAge === 'number' ? $maxAge : null,
    }
  }

  function rawMetadata(stream: string): Record<string, unknown> {
    const last = streams.get(metadataOf(stream))?.at(-1)
    if (!last) return {}
    try {
      const parsed: unknown = JSON.parse(Buffer.from(last.data).toString())
      return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
    } catch {
      return {}
    }
  }

  const softDeleted = (stream: string) => limitsOf(stream).before === deletedRevision

  function readable(stream: string): Readable {
    const last = lastRevision(stream)
    if (last === deletedRevision) return { state: 'tombstoned' }
    const { before, count, age } = limitsOf(stream)
    if (last === noStream || before === deletedRevision) return { state: 'missing' }
    const counted = count === null ? 0n : last - count + 1n
    const first = [0n, before, counted].reduce((a, b) => (a > b ? a : b))
    return { state: 'present', first, last, since: age === null ? null : new Date(Date.now() - age * 1000) }
  }

  function write(stream: string, event: Proposed, revision: bigint): LogRecord {
    const position = end
    const size = 96 + stream.length + event.type.length + event.data.length + event.metadata.length
    end = position + BigInt(size)
    const record = { ...event, stream, revision, position, end, created: new Date() }
    records.push(record)
    committed.set(event.id, record)
    if (revision !== deletedRevision) {
      const stored = streams.get(stream)
      if (stored) stored.push(record)
      else streams.set(stream, [record])
    }
    return record
  }

  /** Accepted, refused, or `last`: the last of these very events, stored before. */
  function check(
    stream: string,
    expected: bigint,
    ids: string[],
  ): 'accepted' | Refused | { last: LogRecord } {
    const actual = lastRevision(stream)
    const conflict: Refused = { outcome: 'conflict', actual }
    if (actual === deletedRevision) return { outcome: 'deleted' }
    if (expected === streamExists) {
      if (softDeleted(stream)) return { outcome: 'deleted' }
      if (actual === noStream && lastRevision(metadataOf(stream)) === noStream) return conflict
    }
    if (expected > actual) return conflict
    if (expected === actual) return 'accepted'
    let last: LogRecord | undefined
    for (const [index, id] of ids.entries()) {
      const known =
        expected < noStream ? committed.get(id) : streams.get(stream)?.[Number(expected) + 1 + index]
      if (known?.id === id && known.stream === stream) last = known
      else if (index > 0) return conflict
      else if (expected < noStream || (expected === noStream && softDeleted(stream))) return 'accepted'
      else return conflict
    }
    return last ? { last } : expected < noStream ? 'accepted' : conflict
  }

  function append(stream: string, events: Proposed[], expected: bigint): Appended | Refused {
    const checked = check(
      stream,
      expected,
      events.map(event => event.id),
    )
    if (checked !== 'accepted') {
      if ('outcome' in checked) return checked
      return { outcome: 'appended', revision: checked.last.revision, position: checked.last.position }
    }
    const before = lastRevision(stream)
    const undelete = softDeleted(stream) ? stream : null
    const original = systemStream(stream) && softDeleted(originalOf(stream)) ? originalOf(stream) : null
    const written = events.map((event, index) => write(stream, event, before + 1n + BigInt(index)))
    const revived = undelete ?? original
    if (revived !== null) {
      const $tb = Number(original ? lastRevision(revived) + 1n : before + 1n)
      const metadata = json('$metadata', { ...rawMetadata(revived), $tb })
      const stream = metadataOf(revived)
      written.push(write(stream, metadata, lastRevision(stream) + 1n))
    }
    for (const record of written) for (const watch of [...watchers]) watch(record)
    const last = written[events.length - 1]
    return { outcome: 'appended', revision: last?.revision ?? before, position: last?.position ?? -1n }
  }

  /** A soft delete truncates all and lets the stream go on later; a tombstone ends it for ever. */
  function remove(stream: string, expected: bigint, how: 'delete' | 'tombstone'): Appended | Refused {
    const checked = check(stream, expected, [crypto.randomUUID()])
    if (checked !== 'accepted') return 'outcome' in checked ? checked : { outcome: 'conflict', actual: -1n }
    if (how === 'delete') {
      const metadata = metadataOf(stream)
      if (lastRevision(stream) === noStream && lastRevision(metadata) === noStream) {
        return { outcome: 'conflict', actual: noStream }
      }
      // JSON.stringify would round the number.
      const event = { ...json('$metadata', {}), data: Buffer.from(`{"$tb":${deletedRevision}}`) }
      const record = write(metadata, event, lastRevision(metadata) + 1n)
      for (const watch of [...watchers]) watch(record)
      return { outcome: 'appended', revision: record.revision, position: record.position }
    }
    const record = write(stream, json('$streamDeleted', {}), deletedRevision)
    tombstoned.add(stream)
    for (const watch of [...watchers]) watch(record)
    return { outcome: 'appended', revision: record.revision, position: record.position }
  }

  if (bootEvents) {
    append('$$$stats-127.0.0.1:2113', [json('$metadata', { $maxAge: 86400 })], any)
    append('$user-admin', [json('$UserCreated', { loginName: 'admin', groups: ['$admins'] })], any)
    append('$users', [{ ...json('$User', ''), data: Buffer.from('admin'), isJson: false }], any)
  }

  return {
    append,
    remove,
    readable,
    lastRevision,
    /** Every record in order, truncated ones too. */
    all: (): readonly LogRecord[] => records,
    /** The record at this revision, whether truncated or not. */
    at: (stream: string, revision: bigint) => streams.get(stream)?.[Number(revision)],
    stream: (stream: string): readonly LogRecord[] => streams.get(stream) ?? [],
    /** Where the next record will begin. */
    end: () => end,
    /** Is called with every record once it is committed. Returns how to end that. */
    watch: (watcher: (record: LogRecord) => void) => {
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
    /** Only ids by which a repetition at `any` is known are lost. */
    restart: () => committed.clear(),
  }
}

/** Another log, with the first records of this one, as they stand there. */
export function copyOf(original: EventLog, records: number): EventLog {
  const copy = createLog({ bootEvents: false })
  for (const record of original.all().slice(0, records)) {
    copy.append(record.stream, [record], record.revision - 1n)
  }
  return copy
}
