import {
  type Batch,
  type EventStore,
  type RecordedEvent,
  RevisionConflict,
  type StreamFilter,
} from './event-store.ts'

/**
 * A part of `store` that looks like a whole one: its streams are those whose names begin with `prefix`, and are
 * called by the rest of their names. So tenants share a store, as long as no prefix is the beginning of another.
 * Closing it closes the store.
 */
export function withStreamPrefix(store: EventStore, prefix: string): EventStore {
  if (prefix === '') return store

  const inside = (stream: string) => prefix + stream
  const insideFilter = (filter: StreamFilter = { prefixes: [''] }) => ({
    ...filter,
    prefixes: filter.prefixes.map(inside),
  })
  const outside = (event: RecordedEvent) => ({ ...event, stream: event.stream.slice(prefix.length) })

  async function* outsideBatches(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of batches) yield { ...batch, events: batch.events.map(outside) }
  }

  return {
    async append(stream, events, expected, deadline) {
      try {
        return await store.append(inside(stream), events, expected, deadline)
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error
        throw new RevisionConflict(stream, error.expected, error.actual)
      }
    },

    async readStream(stream, options) {
      const events = await store.readStream(inside(stream), options)
      return events.map(outside)
    },

    readAll: ({ filter, ...options } = {}) =>
      outsideBatches(store.readAll({ ...options, filter: insideFilter(filter) })),

    subscribe: ({ filter, ...options }) =>
      outsideBatches(store.subscribe({ ...options, filter: insideFilter(filter) })),

    head: () => store.head(),
    truncate: (stream, before) => store.truncate(inside(stream), before),
    close: () => store.close(),
  }
}
