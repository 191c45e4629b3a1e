import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { profiles } from '../../projections/profiles.ts'
import type { EventStore, RecordedEvent } from '../../src/event-store/event-store.ts'
import { openEventStoreDB } from '../../src/event-store/eventstoredb.ts'
import { startWorker } from '../../src/projector/worker.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { eraseUser } from '../http/suite/erasure.ts'
import { newPerson, type Person } from '../http/suite/people.ts'
import { logId, quick, scanAll, silent } from '../projector/stage.ts'
import { startEventStoreDB } from '../support/eventstoredb/server.ts'
import { eventually } from '../support/eventually.ts'
import { readWhole } from '../support/log-events.ts'
import { roster } from '../support/run-roster.ts'
import { startServer } from '../support/server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

type World = { folder: string; url: string; store: EventStore; erased: Person; left: Person }

/** An EventStoreDB that was not scavenged since somebody was erased who was there until a moment ago. */
async function withErased(use: (world: World) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async folder => {
    const { url, stop } = await startEventStoreDB()
    const store = await openEventStoreDB({ url })
    try {
      const server = await startServer({ EVENTSTORE_URL: url, DATA_DIR: join(folder, 'data') })
      let people: [Person, Person] | null = null
      try {
        await eventually(async () =>
          expect((await server.client.get('/api/users/?query=a')).status).to.equal(200),
        )
        people = [await newPerson(server), await newPerson(server)]
        const [erased] = people
        await server.client.put(erased.path, { bio: 'a sailor' }, erased.auth)
        expect((await eraseUser(server, erased)).status).to.equal(204)
        await eventually(async () => {
          const said = (await server.logged()).map(({ msg }) => msg)
          expect(said).to.include('nothing is left of a user who was erased')
        }, 20_000)
      } finally {
        await server.stop()
      }
      const [erased, left] = people
      const handedOut = (await readWhole(store)).filter(({ stream }) => stream === `user-${erased.id}`)
      expect(handedOut.map(({ type }) => type)).to.include.members(['UserRegistered', 'ProfileEdited'])
      await use({ folder, url, store, erased, left })
    } finally {
      await store.close()
      await stop()
    }
  })
}

/** The store once the part of its log with the beginnings of accounts was scavenged, and nothing else was. */
function partlyScavenged(store: EventStore, id: number): EventStore {
  const isLeft = ({ stream, type }: RecordedEvent) => stream !== `user-${id}` || type !== 'UserRegistered'
  return {
    ...store,
    async *subscribe(options) {
      for await (const batch of store.subscribe(options)) {
        yield { ...batch, events: batch.events.filter(isLeft) }
      }
    },
  }
}

describe('What an EventStoreDB still hands out of an erased user', () => {
  it('is not shown by read models built from it, and keeps nothing from being applied', () =>
    withErased(async ({ folder, store, erased, left }) => {
      for (const eventStore of [store, partlyScavenged(store, erased.id)]) {
        const file = join(folder, eventStore === store ? 'whole.db' : 'partly.db')
        const readStore = await openSqliteReadStore(file)
        const options = { eventStore, readStore, logId, projections: [profiles], partitions: 2, log: silent }
        const worker = await startWorker({ ...options, timing: quick })
        try {
          await eventually(async () => {
            const pointer = await readStore.pointer('profiles')
            expect(pointer).to.include({ live: 1 })
          })
          const [generation] = await readStore.generations('profiles')
          if (!generation) throw new Error('expected a generation, found none')
          const found = await scanAll(readStore.open(generation, profiles))
          const names = found.map(({ document }) => document?.username ?? null)
          expect(names).to.have.members([null, left.username])
          expect(await readStore.parked()).to.deep.equal([])
        } finally {
          await worker.stop()
          await readStore.close()
        }
        expect((await readFile(file)).includes(erased.username)).to.equal(false)
      }
    }))

  it('is no difference to verify, and in no export, nor in what is imported from that', () =>
    withErased(async ({ folder, url, erased, left }) => {
      const environment = {
        EVENTSTORE_URL: url,
        DATA_DIR: join(folder, 'data'),
        JWT_SECRET: 'x'.repeat(32),
      }
      const run = async (...args: string[]) => {
        const done = await roster(environment, args)
        expect(done.code, done.stdout + done.stderr).to.equal(0)
      }
      await run('replay')
      await run('verify')
      const file = join(folder, 'log.ndjson')
      await run('export', '--out', file)
      const exported = await readFile(file, 'utf8')
      expect(exported).to.include(left.username).and.include('UserErased')
      for (const told of [erased.username, 'a sailor']) expect(exported).not.to.include(told)
      const imported = await roster({ DATA_DIR: join(folder, 'copy') }, ['import', file])
      expect(imported.code, imported.stderr).to.equal(0)
      expect(await roster({ DATA_DIR: join(folder, 'copy') }, ['replay'])).to.include({ code: 0 })
      expect(await roster({ DATA_DIR: join(folder, 'copy') }, ['verify'])).to.include({ code: 0 })
    }))
})
