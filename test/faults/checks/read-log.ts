import type { Recorded } from '../../../src/account/recorded.ts'
import { toRecorded } from '../../../src/account/upcasters.ts'
import { openEventStore, withStore } from '../../../src/open-stores.ts'
import type { Truth } from '../world/world.ts'

/** The whole log, by streams, in order. */
export function readLog(truth: Truth): Promise<Map<string, Recorded[]>> {
  return withStore(openEventStore(truth), async store => {
    const streams = new Map<string, Recorded[]>()
    for await (const { events } of store.readAll()) {
      for (const event of events) {
        const stream = streams.get(event.stream)
        if (stream) stream.push(toRecorded(event))
        else streams.set(event.stream, [toRecorded(event)])
      }
    }
    return streams
  })
}
