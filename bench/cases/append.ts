import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { NewEvent, Revision } from '../../src/event-store/event-store.ts'
import { noStream } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { bareAppends } from '../baselines/bare-appends.ts'
import type { Case } from '../bench.ts'
import type { Side } from '../measuring/comparison.ts'
import { profileEdited } from './sample-events.ts'

const inFlight = 32
const streamsEach = 300

export const append: Case = {
  name: 'append',
  async run(bench) {
    const store = await openSqliteEventStore({ file: join(bench.folder, 'appends.db') })
    const bare = bareAppends(bench.folder, profileEdited)
    const revisions = new Map<string, Revision>()

    async function appendOn(caller: number, until: number): Promise<number> {
      let done = 0
      for (; performance.now() < until; done++) {
        const stream = `user-${caller * streamsEach + (done % streamsEach)}`
        const expected = revisions.get(stream) ?? noStream
        const event: NewEvent = { ...profileEdited, id: randomUUID() }
        revisions.set(stream, (await store.append(stream, [event], expected)).revision)
      }
      return done
    }

    const roster: Side = {
      name: 'Roster',
      async measure(seconds) {
        const started = performance.now()
        const callers = Array.from({ length: inFlight }, (_, at) => appendOn(at, started + seconds * 1000))
        const done = (await Promise.all(callers)).reduce((sum, each) => sum + each, 0)
        return (done / (performance.now() - started)) * 1000
      },
    }

    try {
      await bench.compare([
        { title: `append, ${inFlight} in flight, durable`, of: roster, to: bare, wanted: 5 },
      ])
    } finally {
      bare.close()
      await store.close()
    }
  },
}
