import type { Recorded } from '../../src/account/recorded.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { eventsFile } from '../../src/open-stores.ts'

/** The whole log of a DATA_DIR, by streams, in order. */
export async function readLog(dataDir: string): Promise<Map<string, Recorded[]>> {
  const store = await openSqliteEventStore({ file: eventsFile(dataDir) })
  const streams = new Map<string, Recorded[]>()
  try {
    for await (const { events } of store.readAll()) {
      for (const event of events) {
        const stream = streams.get(event.stream)
        if (stream) stream.push(toRecorded(event))
        else streams.set(event.stream, [toRecorded(event)])
      }
    }
  } finally {
    await store.close()
  }
  return streams
}
