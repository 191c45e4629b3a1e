import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { NewEvent } from '../../src/event-store/event-store.ts'
import { schema } from '../../src/event-store/sqlite-schema.ts'
import type { Side } from '../measuring/comparison.ts'

const streams = 10_000

/**
 * One durable append after the other into a table like the log's, each its own transaction: what a disk allows to
 * whoever waits for it each time. `event` is what an append of the case looks like.
 */
export function bareAppends(
  folder: string,
  event: Pick<NewEvent, 'id' | 'type' | 'data' | 'metadata'>,
): Side & { close(): void } {
  const db = new Database(join(folder, `bare-appends-${randomUUID()}.db`))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(schema)
  const insert = db.prepare(
    'INSERT INTO events (stream, revision, id, type, data, metadata) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const data = JSON.stringify(event.data)
  const metadata = JSON.stringify(event.metadata)
  let done = 0

  function append(): void {
    // A stride through the streams that visits each once before any twice.
    const stream = `user-${(done * 6007) % streams}`
    insert.run(stream, Math.floor(done / streams), event.id, event.type, data, metadata)
    done++
  }

  return {
    name: 'bare better-sqlite3, single durable appends',
    async measure(seconds) {
      const before = done
      const started = performance.now()
      while (performance.now() - started < seconds * 1000) append()
      return ((done - before) / (performance.now() - started)) * 1000
    },
    close: () => db.close(),
  }
}
