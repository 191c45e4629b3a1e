import type { LogRecord } from './log.ts'

export type Filter = {
  on: 'stream' | 'type'
  by: { prefixes: readonly string[] } | { regex: RegExp }
}

/** What `$all` shows: everything but the server's own bookkeeping. */
export function isShown(record: LogRecord): boolean {
  return record.stream !== '$epoch-information'
}

export function matches(record: LogRecord, filter: Filter | null): boolean {
  if (!isShown(record)) return false
  if (!filter) return true
  const text = filter.on === 'stream' ? record.stream : record.type
  return 'regex' in filter.by
    ? filter.by.regex.test(text)
    : filter.by.prefixes.some(prefix => text.startsWith(prefix))
}
