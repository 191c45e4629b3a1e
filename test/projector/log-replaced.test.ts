import { expect } from 'chai'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { copyOf, type EventLog } from '../support/eventstoredb/log.ts'
import { type EventStoreDB, startEventStoreDB } from '../support/eventstoredb/server.ts'
import { impatient } from '../support/eventstoredb-stores.ts'
import { eventually } from '../support/eventually.ts'
import { edited, openStage, registered, type Stage } from './stage.ts'

const users = 8

describe('a worker that goes on while its log is replaced by an older copy', () => {
  let server: EventStoreDB
  let stage: Stage
  beforeEach(async () => {
    server = await startEventStoreDB()
    stage = await openStage(await openEventStoreDB({ url: server.url, timing: impatient }))
  })
  afterEach(async () => {
    await stage.close()
    await server.stop()
  })

  async function editAll(bio: string): Promise<void> {
    for (let id = 1; id <= users; id++) await stage.append(id, edited({ bio }))
  }

  /** Starts a worker, lets it follow all there is, and puts the log back to where it was some events before. */
  async function replaceUnderWorker(grow: (copy: EventLog) => void = () => {}): Promise<void> {
    for (let id = 1; id <= users; id++) await stage.append(id, registered(id, `user${id}`))
    await stage.start()
    const older = server.log.all().length
    await editAll('lost with the restore')
    await stage.untilTrue()
    const copy = copyOf(server.log, older)
    grow(copy)
    await server.stop()
    server = await startEventStoreDB({ port: server.port, log: copy })
  }

  async function expectRebuilt(): Promise<void> {
    await eventually(
      async () => expect((await stage.readStore.pointer('profiles'))?.live).to.equal(2),
      10_000,
    )
    await stage.untilTrue()
  }

  it('builds a new generation, without an event of what was lost', async () => {
    await replaceUnderWorker()
    await expectRebuilt()
  })

  it('misses none of the events that come after', async () => {
    await replaceUnderWorker()
    await stage.append(7, edited({ bio: 'after the restore' }))
    await expectRebuilt()
    await editAll('later')
    await stage.untilTrue()
  })

  it('misses none of them either if the log has outgrown what it was before the worker looks', async () => {
    await replaceUnderWorker(copy => {
      for (let round = 0; round < 3; round++) {
        for (let id = 1; id <= users; id++) {
          const { data, metadata, ...event } = edited({ bio: 'after the restore '.repeat(9) })
          const bytes = {
            data: Buffer.from(JSON.stringify(data)),
            metadata: Buffer.from(JSON.stringify(metadata)),
          }
          const stream = `user-${id}`
          copy.append(stream, [{ ...event, isJson: true, ...bytes }], copy.lastRevision(stream))
        }
      }
    })
    await expectRebuilt()
  })
})
