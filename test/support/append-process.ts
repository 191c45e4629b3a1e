/**
 * A process of its own that appends to the SQLite event log given as the first argument, in the manner given as the
 * second, and tells its parent over IPC: each message is a `Report`.
 */

import { type EventStore, noStream, RevisionConflict } from '../../src/event-store/event-store.ts'
import { openLog } from '../../src/event-store/log-identity.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { type Report, sharedStream } from './append-processes.ts'
import { anEvent, idsOf, someEvents } from './log-events.ts'

const [file = '', manner = ''] = process.argv.slice(2)

function tell(report: Report): Promise<void> {
  return new Promise(resolve => process.send?.(report, () => resolve()) ?? resolve())
}

const manners: Record<string, (store: EventStore) => Promise<void>> = {
  /** A hundred appends, many at once: to streams of its own, and to one that other processes append to too. */
  async 'a hundred'(store) {
    let at = noStream
    for (let round = 0; round < 10; round++) {
      const shared = anEvent()
      const appendShared = async (): Promise<void> => {
        try {
          at = (await store.append(sharedStream, [shared], at)).revision
        } catch (error) {
          if (!(error instanceof RevisionConflict)) throw error
          at = error.actual
          return appendShared()
        }
      }
      const own = someEvents(9)
      await Promise.all([
        appendShared(),
        ...own.map(event => store.append(`user-${event.id}`, [event], noStream)),
      ])
      await tell({ acked: idsOf([shared, ...own]) })
    }
  },

  /** Appends of three events each, until an append is refused; then it looks whether reading still works. */
  async 'until refused'(store) {
    for (;;) {
      const events = [anEvent({ text: 'x'.repeat(3000) }), ...someEvents(2)]
      const stream = `user-${events[0]?.id}`
      try {
        await store.append(stream, events, noStream)
      } catch (error) {
        const left = await store.readStream(stream)
        return tell({ refused: `${error}; ${left.length} of its events are there` })
      }
      await tell({ acked: idsOf(events) })
    }
  },
}

const work = manners[manner]
if (!work) throw new Error(`expected one of ${Object.keys(manners).join(', ')}, found ${manner}`)
const store = await openSqliteEventStore({ file })
await tell({ opened: (await openLog(store)).logId })
await work(store)
await store.close()
await tell({ done: true })
process.disconnect()
