import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type Document as Bson, MongoClient } from 'mongodb'
import { StoreUnavailable } from '../../src/event-store/event-store.ts'
import type { FoundBy } from '../../src/projector/projection.ts'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'
import { createBooks } from '../../src/read-store/mongodb-books.ts'
import { collectionsIn } from '../../src/read-store/mongodb-collections.ts'
import { createDocuments } from '../../src/read-store/mongodb-documents.ts'
import { createGenerations } from '../../src/read-store/mongodb-generations.ts'
import { createLeases } from '../../src/read-store/mongodb-leases.ts'
import type { Documents, Generation, Lease, Progress, ReadStore } from '../../src/read-store/read-store.ts'
import { people } from '../read-store/conformance.ts'
import { eventually } from '../support/eventually.ts'
import { ownDatabase } from '../support/mongodb-database.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

type Person = { name: string; team: string | null; [more: string]: string | null }

const foundBy: FoundBy<Person, 'name' | 'team'> = {
  indexes: { name: person => person.name, team: person => person.team },
  searched: 'name',
}
const follower = 'people.1'
const serverUrl = process.env.MONGODB_URL

function person(key: string, revision: number, name: string | null) {
  const document: Person | null = name === null ? null : { name, team: 'x' }
  return { key, stream: `person-${key}`, revision: BigInt(revision), document }
}

function write(
  documents: Documents<Person, 'name' | 'team'>,
  writes: ReturnType<typeof person>[],
  progress: readonly Progress[] = [],
): Promise<number[]> {
  const keys = writes.map(({ key }) => key)
  const fold = () => ({ writes, parked: [] })
  return documents.apply({ keys, fold, follower, progress, searchLater: false })
}

if (serverUrl !== undefined) {
  describe('The read store in MongoDB', () => {
    const database = ownDatabase(serverUrl)
    const opened: ReadStore[] = []
    let prefix: string

    async function open(options: Partial<Parameters<typeof openMongodbReadStore>[0]> = {}) {
      const store = await openMongodbReadStore({ url: database.url, prefix, ...options })
      opened.push(store)
      return store
    }
    async function openPeople(generation: Generation = people) {
      const store = await open()
      await store.createGeneration(generation)
      return { store, documents: store.open(generation, foundBy) }
    }
    const ours = async () => {
      const all = await database.client.db().listCollections({}, { nameOnly: true }).toArray()
      return all.map(({ name }) => name).filter(name => name.startsWith(`${prefix}/`))
    }

    beforeEach(() => {
      prefix = randomUUID()
    })
    afterEach(async () => {
      await Promise.all(opened.splice(0).map(store => store.close()))
    })
    after(() => database.drop())

    describe('in races', () => {
      it('keeps the newer of two first writes of a document, fifty times', async () => {
        const { documents } = await openPeople()
        const second = (await open()).open(people, foundBy)
        for (let round = 0; round < 50; round++) {
          const key = String(round)
          const writes = [
            write(documents, [person(key, 1, 'older')]),
            write(second, [person(key, 2, 'newer')]),
          ]
          await Promise.all(round % 2 === 0 ? writes : writes.toReversed())
          expect(await documents.get(key), `round ${round}`).to.include({ name: 'newer' })
        }
        expect((await documents.search('older', { limit: 10, after: null })).documents).to.deep.equal([])
      })

      it('gives a lease to one of twenty contenders, thirty times', async () => {
        const stores = [await open(), await open()]
        const [store] = stores
        await store?.createLeases(follower, 1, 'log')
        for (let round = 0; round < 30; round++) {
          const [seen] = (await store?.leases(follower)) ?? []
          if (!seen) throw new Error('expected a lease, found none')
          const taken = await Promise.all(
            Array.from({ length: 20 }, (_, at) => stores[at % 2]?.takeLease(seen, `worker ${at}`)),
          )
          const winners = taken.filter(lease => lease)
          expect(winners, `round ${round}`).to.have.length(1)
          expect(await store?.leases(follower)).to.deep.equal(winners)
        }
      })

      it('is prepared by many who open it at once, where nothing is yet', async () => {
        const stores = await Promise.all(Array.from({ length: 6 }, () => open()))
        await Promise.all(stores.map(store => store.createGeneration(people)))
        await Promise.all(stores.map(store => store.createLeases(follower, 4, 'log')))
        for (const store of stores) {
          expect(await store.generations('people')).to.deep.equal([people])
          expect(await store.leases(follower)).to.have.length(4)
        }
      })
    })

    describe('from a worker that was paused', () => {
      async function takeOver(store: ReadStore): Promise<{ late: Progress; next: Lease }> {
        await store.createLeases(follower, 1, 'log')
        const take = async (owner: string) => {
          const [seen] = await store.leases(follower)
          const taken = seen && (await store.takeLease(seen, owner))
          if (!taken) throw new Error(`expected ${owner} to get the lease`)
          return taken
        }
        const { partition, epoch, caughtUp, searchable, witness } = await take('paused')
        const late = { partition, epoch, checkpoint: 1n, caughtUp, searchable, witness }
        return { late, next: await take('next') }
      }

      it('refuses late documents and the late checkpoint', async () => {
        const { store, documents } = await openPeople()
        const { late, next } = await takeOver(store)
        await write(documents, [person('1', 7, 'next')])
        expect(
          await write(documents, [person('1', 5, 'late'), person('2', 0, 'right')], [late]),
        ).to.deep.equal([0])
        expect(await documents.get('1')).to.include({ name: 'next' })
        expect(await store.leases(follower)).to.deep.equal([next])
      })

      it('refuses to park late', async () => {
        const { store, documents } = await openPeople()
        const { late } = await takeOver(store)
        const since = new Date(0).toISOString()
        const parked = [
          { follower, stream: 'person-1', revision: 3n, key: '1', error: 'no', since, retry: false },
        ]
        const fold = () => ({ writes: [], parked })
        const lost = await documents.apply({ keys: [], fold, follower, progress: [late], searchLater: false })
        expect(lost).to.deep.equal([0])
        expect(await store.parked()).to.deep.equal([])
      })

      it('leaves nothing of a generation that was dropped meanwhile', async () => {
        const { store, documents } = await openPeople()
        const { late } = await takeOver(store)
        await store.dropGeneration('people', 1)
        expect(await write(documents, [person('1', 0, 'late')], [late])).to.deep.equal([0])
        expect(await ours()).not.to.include(`${prefix}/people.1`)
      })
    })

    describe('with generations', () => {
      it('drops at its start what belongs to none, and nothing of its neighbours', async () => {
        const { documents } = await openPeople()
        await write(documents, [person('1', 0, 'ada')])
        const db = database.client.db()
        const neighbours = ['people.7', `${prefix}-more/people.7`, `${prefix}/notes`]
        for (const name of [`${prefix}/people.2`, `${prefix}/others.9`, ...neighbours]) {
          await db.collection(name).insertOne({})
        }
        expect(await (await open()).generations('people')).to.deep.equal([people])
        const all = (await db.listCollections().toArray()).map(({ name }) => name)
        expect(all).to.include.members([...neighbours, `${prefix}/people.1`])
        expect(all).not.to.include.members([`${prefix}/people.2`])
        expect(all).not.to.include.members([`${prefix}/others.9`])
        expect(await documents.get('1')).to.include({ name: 'ada' })
      })

      it('goes on at its start with a removal that was interrupted', async () => {
        const { store, documents } = await openPeople()
        await write(documents, [person('1', 0, 'ada')])
        await store.createLeases(follower, 2, 'log')
        const { generations } = collectionsIn(database.client.db(), prefix)
        await generations.updateOne({ _id: follower }, { $set: { state: 'dropping' } })
        expect(await store.generations('people')).to.deep.equal([])
        expect(await (await open()).leases(follower)).to.deep.equal([])
        expect(await ours()).not.to.include(`${prefix}/people.1`)
      })

      it('does not show one before its indexes are there', async () => {
        const store = await open()
        const { generations } = collectionsIn(database.client.db(), prefix)
        const { projection, number } = people
        const row = { _id: follower, projection, number, state: 'making', generation: people } as const
        await generations.insertOne(row)
        expect(await store.generations('people')).to.deep.equal([])
        await store.createGeneration(people)
        expect(await store.generations('people')).to.deep.equal([people])
        const indexes = await database.client.db().collection(`${prefix}/people.1`).indexes()
        expect(indexes.map(({ name }) => name)).to.have.members(['_id_', 'by_name', 'by_team', 'suffixes'])
      })

      it('makes indexes that are missing at its start', async () => {
        await openPeople()
        const collection = database.client.db().collection(`${prefix}/people.1`)
        await collection.dropIndex('suffixes')
        await (await open()).workers()
        expect(await collection.indexExists('suffixes')).to.equal(true)
      })

      it('keeps prefixes apart, whatever they are', async () => {
        const prefixes = ['', 'a', 'a.b', 'a/b', '$a%', 'Ä ', 'system.']
        const stores = await Promise.all(prefixes.map(each => open({ prefix: each && prefix + each })))
        const system = await open({ prefix: 'system.' })
        for (const [at, store] of [...stores, system].entries()) {
          await store.createGeneration(people)
          await write(store.open(people, foundBy), [person('1', 0, `name ${at}`)])
        }
        for (const [at, store] of [...stores, system].entries()) {
          expect(await store.open(people, foundBy).get('1')).to.include({ name: `name ${at}` })
        }
      })
    })

    it('gives back documents with any names and texts as they were', async () => {
      const { documents } = await openPeople()
      const awkward: Person = JSON.parse(
        '{"name":"$where","team":"a.b","$set":"x","a.b":"y","":"z","__proto__":"p","constructor":"c"}',
      )
      awkward['nul\0'] = 'a\0b'
      awkward.half = '\ud83d'
      const keys = ['$gt', '__proto__', 'a.b', 'nul\0x', 'nul\0y']
      for (const key of keys) {
        await write(documents, [{ key, stream: key, revision: 9_007_199_254_740_993n, document: awkward }])
      }
      for (const key of keys) {
        expect(JSON.stringify(await documents.get(key)), key).to.equal(JSON.stringify(awkward))
      }
      const read = await documents.read(keys)
      expect([...read.values()].map(({ revision }) => revision)).to.deep.equal(
        keys.map(() => 9_007_199_254_740_993n),
      )
      expect(await documents.find('name', '$where')).to.have.length(keys.length)
      const page = await documents.search('$wh', { limit: 10, after: null })
      expect(page.documents).to.have.length(keys.length)
    })

    it('finds the first hundred of many with one value, in the order of their keys', async () => {
      const { documents } = await openPeople()
      const keys = Array.from({ length: 130 }, (_, at) => `${(at * 37) % 130}`)
      const people = keys.map(key => ({ ...person(key, 0, `n${key}`) }))
      await write(documents, people)
      const first = keys.toSorted().slice(0, 100)
      const found = await documents.find('team', 'x')
      expect(found.map(({ name }) => name)).to.deep.equal(first.map(key => `n${key}`))
    })

    it('reads an index in every step', async function () {
      this.timeout(120_000)
      const client = new MongoClient(database.url, { monitorCommands: true, useBigInt64: true })
      const collections = collectionsIn(client.db(), prefix)
      const books = createBooks(collections)
      const leases = createLeases(collections)
      const generations = createGenerations(collections)
      await Promise.all([books.prepare(), leases.prepare(), generations.prepare()])
      await generations.create(people)
      const parts = { collections, books, leases, generations }
      const session = { run: <T>(_: string, work: () => Promise<T>) => work() }
      const documents = createDocuments(session, parts, people, foundBy)
      const letters = 'abcdefghij'
      const names = Array.from({ length: 3000 }, (_, at) => `${letters[at % 10]}zz${at}`)
      await write(
        documents,
        names.map((name, at) => person(String(at), 0, name)),
      )

      const commands: Bson[] = []
      client.on('commandStarted', ({ command }) => commands.push(command))
      const range = { limit: 5, direction: 'ascending', after: null } as const
      const after = { value: 'bzz1', key: '7' }
      await documents.get('7')
      await documents.find('name', 'azz0')
      await documents.findAt('name', 'azz0')
      await Promise.all(names.slice(0, 16).map(name => documents.findAt('name', name)))
      await documents.list('name', range)
      await documents.list('name', { ...range, direction: 'descending', after })
      await documents.list('name', { ...range, from: 'b', to: 'c', after })
      await documents.scan({ limit: 5, after: '7' })
      await documents.standings([{ key: '7', stream: 'person-7' }])
      for (const text of ['', 'a', 'zz', 'zz12', '77', 'nobody', 'x'.repeat(40)]) {
        for (const way of ['first', 'remembered']) {
          const first = await documents.search(text, { limit: 10, after: null })
          await documents.search(text, { limit: 10, after: first.next })
          expect(first.documents.length, `${way} ${text}`).to.be.at.most(10)
        }
      }
      await leases.lost(follower, [])
      await books.parked(follower)
      const asked = commands.filter(command => 'find' in command || 'aggregate' in command)
      client.removeAllListeners('commandStarted')
      expect(asked.length).to.be.greaterThan(30)
      for (const { lsid: _, $clusterTime: __, $db: ___, ...command } of asked) {
        const plan = JSON.stringify(await client.db().command({ explain: command }), (_key, value) =>
          typeof value === 'bigint' ? String(value) : value,
        )
        expect(plan, JSON.stringify(command)).to.match(/IXSCAN|IDHACK|EXPRESS|"indexName"|Index Name/)
        expect(plan, JSON.stringify(command)).not.to.match(/COLLSCAN|Seq Scan/)
      }
      await client.close()
    })

    describe('when the server', () => {
      const timing = { callMs: 1500, silenceMs: 500, heartbeatMs: 500, graceMs: 300 }
      let proxy: TcpProxy
      let url: string

      beforeEach(async () => {
        const { hostname, port } = new URL(serverUrl)
        proxy = await startTcpProxy({ host: hostname, port: Number(port || 27017) })
        const throughProxy = new URL(database.url)
        throughProxy.host = `127.0.0.1:${proxy.port}`
        throughProxy.searchParams.set('directConnection', 'true')
        url = throughProxy.href
      })
      afterEach(() => proxy.close())

      const failureOf = async (work: Promise<unknown>) =>
        work.then(
          () => null,
          (error: unknown) => error,
        )
      const isBack = (store: ReadStore) =>
        eventually(async () => {
          await store.workers()
          expect(store.isDown()).to.equal(false)
        })

      for (const [how, order] of [
        ['cannot be reached', (to: TcpProxy) => to.cut()],
        ['hangs', async (to: TcpProxy) => to.hang()],
      ] as const) {
        it(`${how}, says so soon and goes on by itself afterwards`, async () => {
          const warnings: string[] = []
          const log = { warn: (_: object, message: string) => void warnings.push(message) }
          const store = await open({ url, timing, log })
          await store.createGeneration(people)
          const documents = store.open(people, foundBy)
          await write(documents, [person('1', 0, 'ada')])
          await order(proxy)
          expect(await failureOf(documents.get('1'))).to.be.instanceOf(StoreUnavailable)
          expect(store.isDown()).to.equal(true)
          expect(await failureOf(write(documents, [person('2', 0, 'bob')]))).to.be.instanceOf(
            StoreUnavailable,
          )
          await eventually(() => expect(warnings).to.include('the read store is out of reach'))
          await proxy.mend()
          await isBack(store)
          expect(await documents.get('1')).to.include({ name: 'ada' })
          await write(documents, [person('2', 0, 'bob')])
          expect(await documents.get('2')).to.include({ name: 'bob' })
          expect(warnings).to.include('the read store is there again')
        })
      }

      it('is not there yet, opens all the same and prepares everything once it is', async () => {
        await proxy.cut()
        const warnings: string[] = []
        const log = { warn: (_: object, message: string) => void warnings.push(message) }
        const store = await open({ url, timing, log })
        expect(await failureOf(store.generations('people'))).to.be.instanceOf(StoreUnavailable)
        expect(store.isDown()).to.equal(true)
        await proxy.mend()
        await isBack(store)
        await store.createGeneration(people)
        const indexes = await database.client.db().collection(`${prefix}/leases`).indexes()
        expect(indexes).to.have.length(2)
        expect(warnings).to.deep.equal(['the read store is out of reach', 'the read store is there'])
      })

      it('closes connections now and then, loses no write that it confirmed', async () => {
        const store = await open({ url, timing })
        await store.createGeneration(people)
        const documents = store.open(people, foundBy)
        const confirmed = new Map<string, number>()
        const writer = async (lane: number) => {
          for (let revision = 0; revision < 60; revision++) {
            const key = `${lane}`
            const failure = await failureOf(write(documents, [person(key, revision, `name${revision}`)]))
            if (failure === null) confirmed.set(key, revision)
            else expect(failure).to.be.instanceOf(StoreUnavailable)
            if (revision % 20 === 10 && lane === 0) proxy.interrupt()
          }
        }
        await Promise.all([0, 1, 2, 3].map(writer))
        await isBack(store)
        expect(confirmed.size).to.equal(4)
        for (const [key, { revision }] of await documents.read([...confirmed.keys()])) {
          expect(Number(revision), key).to.be.at.least(confirmed.get(key) ?? 0)
        }
      })

      it('breaks off again and again, loses no document that it confirmed', async () => {
        const store = await open({ url, timing })
        await store.createGeneration(people)
        const documents = store.open(people, foundBy)
        const confirmed: string[] = []
        proxy.delay(5)
        const writer = async (lane: number) => {
          for (let turn = 0; turn < 30; turn++) {
            const some = Array.from({ length: 5 }, (_, at) => person(`${lane} ${turn} ${at}`, 0, 'new'))
            const failure = await failureOf(write(documents, some))
            if (failure === null) confirmed.push(...some.map(({ key }) => key))
            else expect(failure).to.be.instanceOf(StoreUnavailable)
          }
        }
        const breaking = setInterval(() => proxy.interrupt(), 250)
        await Promise.all(Array.from({ length: 8 }, (_, lane) => writer(lane)))
        clearInterval(breaking)
        await proxy.mend()
        await isBack(store)
        expect(confirmed).to.not.be.empty
        const found = await documents.read(confirmed)
        expect(confirmed.filter(key => !found.has(key))).to.deep.equal([])
      })

      it('is gone, closes without it', async () => {
        const store = await open({ url, timing })
        await store.workers()
        proxy.hang()
        await store.close()
        expect(await failureOf(store.workers())).to.be.instanceOf(StoreUnavailable)
      })
    })
  })
}
