import { type Filter, matches } from './filter.ts'
import type { EventLog, LogRecord } from './log.ts'

/** As many records as the server reads at a time. */
export const pageSize = 32

/** A place in `$all`. They differ only between records, where the prepare position is 0. */
export type Place = { commit: bigint; prepare: bigint }
export const placeOf = (record: LogRecord): Place => ({ commit: record.position, prepare: record.position })
export const isBefore = (a: Place, b: Place) =>
  a.commit < b.commit || (a.commit === b.commit && a.prepare < b.prepare)

export type Resolved = { event: LogRecord | null; link: LogRecord | null }
export type ReadResponse =
  | { is: 'event'; resolved: Resolved }
  | { is: 'checkpoint'; place: Place }
  | { is: 'confirmation'; id: string }
  | { is: 'caught-up' }
  | { is: 'stream-not-found' }
  | { is: 'stream-deleted' }

export class InvalidPosition extends Error {}

/** The record itself, or what it links to: nothing if that is truncated or deleted. */
export function resolve(log: EventLog, record: LogRecord, resolveLinks: boolean): Resolved {
  if (!resolveLinks || record.type !== '$>') return { event: record, link: null }
  const [, revision, stream] = /^(\d+)@(.*)$/s.exec(Buffer.from(record.data).toString()) ?? []
  if (revision === undefined || stream === undefined) return { event: record, link: null }
  const target = log.at(stream, BigInt(revision))
  return { event: target && isReadable(log, target) ? target : null, link: record }
}

function isReadable(log: EventLog, { stream, revision, created }: LogRecord): boolean {
  const state = log.readable(stream)
  return (
    state.state === 'present' && revision >= state.first && (state.since === null || created >= state.since)
  )
}

export type StreamRead = {
  stream: string
  from: bigint | 'start' | 'end'
  direction: 'forwards' | 'backwards'
  count: bigint
  resolveLinks: boolean
}

/** The events of one stream, as far as `$maxCount`, `$maxAge` and `$tb` leave them. */
export function* readStream(log: EventLog, read: StreamRead): Generator<ReadResponse> {
  const state = log.readable(read.stream)
  if (state.state !== 'present') {
    return yield { is: state.state === 'missing' ? 'stream-not-found' : 'stream-deleted' }
  }
  const forwards = read.direction === 'forwards'
  const from = read.from === 'start' ? 0n : read.from === 'end' ? state.last : read.from
  let revision = forwards ? max(from, state.first) : min(from, state.last)
  for (let sent = 0n; sent < read.count && revision >= state.first && revision <= state.last; ) {
    const record = log.at(read.stream, revision)
    if (record && isReadable(log, record)) {
      yield { is: 'event', resolved: resolve(log, record, read.resolveLinks) }
      sent++
    }
    revision += forwards ? 1n : -1n
  }
}

export type AllRead = {
  from: Place | 'start' | 'end'
  direction: 'forwards' | 'backwards'
  count: bigint
  filter: Filter | null
  resolveLinks: boolean
}

/** `$all`, truncated and deleted events included. */
export function* readAll(log: EventLog, read: AllRead): Generator<ReadResponse> {
  const records = log.all()
  const { from, count, filter, resolveLinks } = read
  const forwards = read.direction === 'forwards'
  if (typeof from === 'object') requireBoundary(log, from.commit)
  let sent = 0n
  const step = forwards ? 1 : -1
  for (
    let index = firstIndex(log, read);
    index >= 0 && index < records.length && sent < count;
    index += step
  ) {
    const record = records[index]
    if (!record || !matches(record, filter)) continue
    yield { is: 'event', resolved: resolve(log, record, resolveLinks) }
    sent++
  }
}

function firstIndex(log: EventLog, { from, direction }: AllRead): number {
  const records = log.all()
  if (direction === 'forwards') {
    return from === 'start' ? 0 : from === 'end' ? records.length : indexFrom(log, from)
  }
  if (from === 'start') return -1
  if (from === 'end') return records.length - 1
  const after = indexFrom(log, { commit: from.commit, prepare: 0n })
  return after - 1
}

export type Page = { records: LogRecord[]; next: Place; considered: number; isEnd: boolean }

/** At most `pageSize` matches among at most `window` records from `from` on, and where to go on. */
export function readPage(log: EventLog, from: Place, filter: Filter | null, window: number): Page {
  requireBoundary(log, from.commit)
  const all = log.all()
  const records: LogRecord[] = []
  let next = from
  let considered = 0
  for (let index = indexFrom(log, from); records.length < pageSize && considered < window; index++) {
    const record = all[index]
    if (!record) return { records, next, considered, isEnd: true }
    considered++
    if (matches(record, filter)) records.push(record)
    next = { commit: record.end, prepare: 0n }
  }
  return { records, next, considered, isEnd: false }
}

/** Index of the first record at or after a place. */
function indexFrom(log: EventLog, place: Place): number {
  const records = log.all()
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >> 1
    const record = records[middle]
    if (record && isBefore(placeOf(record), place)) low = middle + 1
    else high = middle
  }
  return low
}

function requireBoundary(log: EventLog, commit: bigint): void {
  if (commit === 0n || commit >= log.end()) return
  const record = log.all()[indexFrom(log, { commit, prepare: 0n })]
  if (record?.position !== commit) throw new InvalidPosition()
}

const max = (a: bigint, b: bigint) => (a > b ? a : b)
const min = (a: bigint, b: bigint) => (a < b ? a : b)
