import { type EventStore, type RecordedEvent, RevisionConflict, type StreamFilter } from './event-store.ts'
import type { BatchOf, WholeEventStore } from './log-transfer.ts'

/**
 * A part of `store` that looks like a whole one: its streams are those whose names begin with `prefix`, and are
 * called by the rest of their names. So tenants share a store, as long as no prefix is the beginning of another.
 * Closing it closes the store.
 */
export function withStreamPrefix(store: EventStore, prefix: string): EventStore {
  if (prefix === '') return store
  const { inside, insideFilter, outside, outsideBatches, outsideConflict } = namesUnder(prefix)

  return {
    append: (stream, events, expected, deadline) =>
      store.append(inside(stream), events, expected, deadline).catch(outsideConflict),

    async readStream(stream, options) {
      const events: RecordedEvent[] = await store.readStream(inside(stream), options)
      return events.map(outside)
    },

    readAll: ({ filter, ...options } = {}) =>
      outsideBatches(store.readAll({ ...options, filter: insideFilter(filter) })),

    subscribe: ({ filter, ...options }) =>
      outsideBatches(store.subscribe({ ...options, filter: insideFilter(filter) })),

    head: () => store.head(),
    truncate: (stream, before) => store.truncate(inside(stream), before),
    purge: () => store.purge(),
    close: () => store.close(),
  }
}

/** `withStreamPrefix` for a log that can be moved. */
export function wholeWithStreamPrefix(store: WholeEventStore, prefix: string): WholeEventStore {
  if (prefix === '') return store
  const { inside, insideFilter, outside, outsideBatches, outsideConflict } = namesUnder(prefix)

  return {
    ...withStreamPrefix(store, prefix),

    restore: events =>
      store.restore(events.map(event => ({ ...event, stream: inside(event.stream) }))).catch(outsideConflict),

    readTexts: ({ filter, ...options } = {}) =>
      outsideBatches(store.readTexts({ ...options, filter: insideFilter(filter) })),

    async *truncations() {
      for await (const truncation of store.truncations()) {
        if (truncation.stream.startsWith(prefix)) yield outside(truncation)
      }
    },
  }
}

function namesUnder(prefix: string) {
  const inside = (stream: string) => prefix + stream
  const outside = <Told extends { stream: string }>(told: Told): Told => ({
    ...told,
    stream: told.stream.slice(prefix.length),
  })
  return {
    inside,
    outside,

    insideFilter: (filter: StreamFilter = { prefixes: [''] }) => ({
      ...filter,
      prefixes: filter.prefixes.map(inside),
    }),

    async *outsideBatches<E extends { stream: string }>(
      batches: AsyncIterable<BatchOf<E>>,
    ): AsyncGenerator<BatchOf<E>> {
      for await (const batch of batches) yield { ...batch, events: batch.events.map(outside) }
    },

    outsideConflict(error: unknown): never {
      if (!(error instanceof RevisionConflict)) throw error
      throw new RevisionConflict(error.stream.slice(prefix.length), error.expected, error.actual)
    },
  }
}
