import { randomUUID } from 'node:crypto'
import type { NewEvent, Revision } from '../../src/event-store/event-store.ts'
import { noStream } from '../../src/event-store/event-store.ts'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import {
  appendsInFlight,
  bareClientAppends,
  manyAtOnce,
  streamsEach,
} from '../baselines/bare-client-appends.ts'
import type { Bench } from '../bench.ts'
import { profileEdited } from '../cases/sample-events.ts'
import type { Side } from '../measuring/comparison.ts'
import type { Servers } from './servers.ts'

/** Appends through the adapter beside those of its client. */
export async function compareAppends(bench: Bench, { eventstoreUrl }: Servers): Promise<void> {
  const store = await openEventStoreDB({ url: eventstoreUrl })
  const bare = bareClientAppends(eventstoreUrl, profileEdited)
  const prefix = `adapter-${randomUUID()}-`
  const revisions = new Map<string, Revision>()
  const roster: Side = {
    name: 'Roster',
    measure: seconds =>
      manyAtOnce(seconds, async (caller, count) => {
        const stream = `${prefix}${caller * streamsEach + (count % streamsEach)}`
        const event: NewEvent = { ...profileEdited, id: randomUUID() }
        const expected = revisions.get(stream) ?? noStream
        revisions.set(stream, (await store.append(stream, [event], expected)).revision)
      }),
  }
  try {
    await bench.compare(
      [{ title: `append, ${appendsInFlight} in flight`, of: roster, to: bare, wanted: 0.9 }],
      { count: 2 * bench.scale.rounds - 1 },
    )
  } finally {
    await bare.close()
    await store.close()
  }
}
