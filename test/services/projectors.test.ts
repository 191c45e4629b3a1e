import { join } from 'node:path'
import { expect } from 'chai'
import { profiles } from '../../projections/profiles.ts'
import { readConfig } from '../../src/config.ts'
import { type EventStore, noStream } from '../../src/event-store/event-store.ts'
import { openEventStore } from '../../src/open-stores.ts'
import type { Lease, ReadStore } from '../../src/read-store/read-store.ts'
import { edited, foldOfLog, registered, scanAll } from '../projector/stage.ts'
import { copyOf, createLog } from '../support/eventstoredb/log.ts'
import { startEventStoreDB } from '../support/eventstoredb/server.ts'
import { eventually } from '../support/eventually.ts'
import { type Program, startProgram } from '../support/program.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'
import { mongodbUrl, openStores, type Stores } from './stores.ts'

const users = 40

const serverUrl = mongodbUrl
if (serverUrl !== undefined) {
  describe('Projectors, each a process of its own, on EventStoreDB and MongoDB', function () {
    this.timeout(120_000)
    let stores: Stores
    let readStore: ReadStore
    let log: EventStore
    const programs: Program[] = []
    const logs: EventStore[] = []

    beforeEach(async () => {
      stores = await openStores(serverUrl)
      readStore = await stores.openReadStore()
      log = await openLogAt(stores.eventstoredb.url)
    })
    afterEach(async () => {
      for (const program of programs) program.kill('SIGKILL')
      await Promise.all(programs.splice(0).map(({ ended }) => ended))
      await Promise.all(logs.splice(0).map(each => each.close()))
      await stores.close()
    })

    async function openLogAt(url: string): Promise<EventStore> {
      const opened = await openEventStore(readConfig({ ...stores.environment, EVENTSTORE_URL: url }))
      logs.push(opened)
      return opened
    }

    async function start(folder: string, variables: Record<string, string> = {}): Promise<Program> {
      const roles = { ROLES: 'projector', PROJECTOR_PARTITIONS: '4', DATA_DIR: join(folder, 'data') }
      const program = await startProgram({ ...stores.environment, ...roles, ...variables }, ['ops'])
      programs.push(program)
      return program
    }

    async function stop(program: Program): Promise<void> {
      program.kill('SIGTERM')
      expect(await program.ended).to.deep.equal({ code: 0, stderr: '' })
    }

    async function append(to: EventStore, id: number, bio: string): Promise<void> {
      const stream = `user-${id}`
      const [last] = await to.readStream(stream, { direction: 'backwards', limit: 1 })
      const event = last ? edited({ bio }) : registered(id, `user${id}`)
      await to.append(stream, [event], last?.revision ?? noStream)
    }

    async function fill(to: EventStore): Promise<void> {
      for (let id = 1; id <= users; id++) await append(to, id, '')
    }

    const live = async () => {
      const number = (await readStore.pointer('profiles'))?.live
      return (await readStore.generations('profiles')).find(generation => generation.number === number)
    }
    const leases = async () => {
      const generation = await live()
      return generation ? readStore.leases(`profiles.${generation.number}`) : []
    }

    /** How many partitions each holder has, the fewest first. */
    const holdings = (of: readonly Lease[]) => {
      const counts = new Map<string, number>()
      for (const { owner } of of) if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1)
      return [...counts.values()].sort()
    }

    /** Whoever holds the partitions lives: all of them were renewed between two looks. */
    async function expectHeld(expected: readonly number[]): Promise<void> {
      const before = await leases()
      expect(holdings(before)).to.deep.equal(expected)
      await eventually(async () => {
        const now = await leases()
        expect(now.map(({ owner }) => owner)).to.deep.equal(before.map(({ owner }) => owner))
        for (const [at, { renewals }] of now.entries())
          expect(renewals).to.be.greaterThan(before[at]?.renewals ?? 0)
      }, 4000)
    }

    async function expectTrue(of: EventStore): Promise<void> {
      const generation = await live()
      if (!generation) throw new Error('expected live profiles, found none')
      const documents = readStore.open(generation, profiles)
      expect(await scanAll(documents)).to.deep.equal(await foldOfLog(of, profiles))
    }

    it('share four partitions through a kill, a pause longer than a lease, and a newcomer', async () => {
      await withTemporaryFolder(async folder => {
        const [killed, paused] = await Promise.all([start(folder), start(folder), start(folder)])
        let writing = true
        const writer = (async () => {
          for (let event = 0; writing; event++) await append(log, 1 + (event % users), `bio ${event}`)
        })()
        await eventually(() => expectHeld([1, 1, 2]), 30_000)
        const before = new Set((await leases()).map(({ owner }) => owner))

        killed.kill('SIGKILL')
        paused.kill('SIGSTOP')
        await eventually(async () => expect(holdings(await leases())).to.deep.equal([4]), 30_000)
        paused.kill('SIGCONT')
        await start(folder)
        await eventually(() => expectHeld([1, 1, 2]), 10_000)
        expect(paused.log.join()).to.include('a lease was lost to another worker')
        const after = new Set((await leases()).map(({ owner }) => owner))
        expect([...after].filter(owner => before.has(owner))).to.have.length(2)

        writing = false
        await writer
        await eventually(() => expectTrue(log), 20_000)
        expect(await readStore.parked()).to.deep.equal([])
      })
    })

    describe('after the log was replaced', () => {
      /** Serves another log at the address of the first one. */
      async function replace(with_: ReturnType<typeof createLog>): Promise<EventStore> {
        await Promise.all(logs.splice(0).map(each => each.close()))
        const { port } = stores.eventstoredb
        await stores.eventstoredb.stop()
        stores.eventstoredb = await startEventStoreDB({ port, log: with_ })
        return openLogAt(stores.eventstoredb.url)
      }

      async function expectRebuilt(from: EventStore, reason: string): Promise<void> {
        await eventually(async () => {
          expect((await live())?.number).to.equal(2)
          await expectTrue(from)
        }, 30_000)
        expect((await live())?.reason).to.include(reason)
      }

      it('by another: builds a new generation and says why', async () => {
        await withTemporaryFolder(async folder => {
          const first = await start(folder)
          await fill(log)
          await eventually(() => expectTrue(log), 20_000)
          await stop(first)
          const another = await replace(createLog())
          for (const id of [3, 4, 99]) await append(another, id, '')
          await start(folder)
          await expectRebuilt(another, 'it was built from log')
        })
      })

      /** Fills the log twice, follows all of it, and then puts it back to where it was in between. */
      async function replaceByOlderCopy(folder: string): Promise<EventStore> {
        const first = await start(folder)
        await fill(log)
        const older = stores.eventstoredb.log.all().length
        await fill(log)
        await eventually(() => expectTrue(log), 20_000)
        await stop(first)
        return replace(copyOf(stores.eventstoredb.log, older))
      }

      it('by an older copy of itself: builds a new generation and misses no event', async () => {
        await withTemporaryFolder(async folder => {
          const copy = await replaceByOlderCopy(folder)
          await append(copy, 7, 'after the restore')
          await start(folder)
          await expectRebuilt(copy, 'beyond the log')
        })
      })

      it('by an older copy of itself that has grown again: misses no event either', async () => {
        await withTemporaryFolder(async folder => {
          const copy = await replaceByOlderCopy(folder)
          for (let round = 0; round < 3; round++) await fill(copy)
          await start(folder)
          await expectRebuilt(copy, 'was applied as revision')
        })
      })
    })
  })
}
