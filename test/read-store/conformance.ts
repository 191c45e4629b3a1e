import { expect } from 'chai'
import fc from 'fast-check'
import type { FoundBy } from '../../src/projector/projection.ts'
import type {
  Documents,
  Generation,
  Lease,
  Pointer,
  Progress,
  ReadStore,
  SearchPlace,
  StoredDocument,
  Stray,
} from '../../src/read-store/read-store.ts'

/** A place for read stores that nobody else uses: each `connect` opens the same one. */
export type ReadStorePlace = { connect(): Promise<ReadStore>; remove(): Promise<void> }

type Person = { name: string; team: string | null }

const foundBy: FoundBy<Person, 'name' | 'team'> = {
  indexes: { name: person => person.name, team: person => person.team },
  searched: 'name',
}

export const people: Generation = {
  projection: 'people',
  number: 1,
  version: 1,
  partitions: 2,
  logId: 'log-a',
  indexes: ['name', 'team'],
  searched: 'name',
  reason: 'a test',
  createdAt: '2024-01-01T00:00:00.000Z',
}
const follower = 'people.1'

function person(key: string, revision: number, name: string | null, team: string | null = null) {
  const document = name === null ? null : { name, team }
  return { key, stream: `person-${key}`, revision: BigInt(revision), document }
}

function progress(lease: Lease, changes: Partial<Progress> = {}): Progress {
  const { partition, epoch, checkpoint, caughtUp, searchable, witness } = lease
  return { partition, epoch, checkpoint, caughtUp, searchable, witness, ...changes }
}

function write(
  documents: Documents<Person, 'name' | 'team'>,
  writes: readonly StoredDocument<Person>[],
  leases: readonly Progress[] = [],
  searchLater = false,
): Promise<number[]> {
  const keys = writes.map(({ key }) => key)
  const fold = () => ({ writes, parked: [] })
  return documents.apply({ keys, fold, follower, progress: leases, searchLater })
}

async function searchAll(
  documents: Documents<Person, 'name' | 'team'>,
  text: string,
  limit: number,
): Promise<string[]> {
  const names: string[] = []
  let after: SearchPlace | null = null
  do {
    const page = await documents.search(text, { limit, after })
    expect(page.documents).to.have.length.at.most(limit)
    names.push(...page.documents.map(({ name }) => name))
    after = page.next
  } while (after)
  return names
}

function expectedOrder(names: readonly string[], text: string): string[] {
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  const found = names.filter(name => name.includes(text)).sort(bytes)
  return [...found.filter(name => name.startsWith(text)), ...found.filter(name => !name.startsWith(text))]
}

const awkwardNames = fc.string({
  unit: fc.constantFrom(
    'a',
    'b',
    'ab',
    'A',
    '_',
    '%',
    '\\',
    "'",
    'é',
    'e\u0301',
    'ß',
    '\ue000',
    '\uffff',
    '😀',
    '\u{10ffff}',
  ),
  minLength: 1,
  maxLength: 12,
})

/** What every read store does. */
export function readStoreConformance(name: string, fresh: () => Promise<ReadStorePlace>): void {
  describe(`${name} is a read store that`, () => {
    let place: ReadStorePlace
    let store: ReadStore
    let documents: Documents<Person, 'name' | 'team'>
    const others: ReadStore[] = []

    const connect = async () => {
      const other = await place.connect()
      others.push(other)
      return other
    }

    beforeEach(async () => {
      place = await fresh()
      store = await place.connect()
      await store.createGeneration(people)
      documents = store.open(people, foundBy)
    })

    afterEach(async () => {
      for (const other of others.splice(0)) await other.close()
      await store.close()
      await place.remove()
    })

    describe('keeps documents', () => {
      it('gives back what was written, by key and by index', async () => {
        await write(documents, [person('1', 0, 'ada', 'x'), person('2', 3, 'bob', 'x'), person('3', 0, 'cy')])
        expect(await documents.get('1')).to.deep.equal({ name: 'ada', team: 'x' })
        expect(await documents.get('4')).to.equal(null)
        expect(await documents.find('team', 'x')).to.deep.equal([
          { name: 'ada', team: 'x' },
          { name: 'bob', team: 'x' },
        ])
        expect(await documents.find('team', 'y')).to.deep.equal([])
        expect(await documents.getAt('2')).to.deep.equal({
          ...{ revision: 3n, document: { name: 'bob', team: 'x' } },
        })
        expect(await documents.findAt('team', 'x')).to.deep.equal({
          ...{ revision: 0n, document: { name: 'ada', team: 'x' } },
        })
        expect(await documents.getAt('4')).to.equal(null)
        expect(await documents.findAt('team', 'y')).to.equal(null)
        const read = await documents.read(['2', '4'])
        expect([...read.values()]).to.deep.equal([person('2', 3, 'bob', 'x')])
      })

      it('finds the first document of each of the values that are asked for at once', async () => {
        const crowd = Array.from({ length: 90 }, (_, n) => person(`${n}`, n, `name${n}`, `team${n % 60}`))
        await write(documents, crowd)
        const ask = async (index: 'name' | 'team', values: string[]) => {
          const found = await Promise.all(values.map(value => documents.findAt(index, value)))
          return found.map(each => each?.document.name ?? null)
        }
        expect(await ask('name', ['name3', 'nobody', 'name1', 'name3'])).to.deep.equal([
          ...['name3', null, 'name1', 'name3'],
        ])
        const teams = Array.from({ length: 130 }, (_, n) => n)
        const first = (n: number) => (n >= 60 ? null : n < 30 && `${n + 60}` < `${n}` ? n + 60 : n)
        const firsts = teams.map(first).map(n => (n === null ? null : `name${n}`))
        expect(await ask('team', [...teams.map(n => `team${n}`)])).to.deep.equal(firsts)
        expect(firsts).to.include('name67')
        expect(await ask('team', ['team40', 'team7', 'none'])).to.deep.equal(['name40', firsts[7], null])
      })

      it('hands what is stored to the fold', async () => {
        await write(documents, [person('1', 4, 'ada')])
        let seen: unknown
        await documents.apply({
          keys: ['1', '2'],
          fold(stored) {
            seen = [...stored.values()]
            return { writes: [], parked: [] }
          },
          follower,
          progress: [],
          searchLater: false,
        })
        expect(seen).to.deep.equal([person('1', 4, 'ada')])
      })

      it('hands what is stored to the fold also under keys that were thought to be new', async () => {
        await write(documents, [person('1', 4, 'ada')])
        const seen: string[] = []
        await documents.apply({
          keys: ['1', '2'],
          newKeys: new Set(['1', '2']),
          fold(stored) {
            const ada = stored.get('1')
            seen.push(ada?.document?.name ?? 'nobody')
            return { writes: [person('1', 5, ada ? 'known' : 'new'), person('2', 0, 'bob')], parked: [] }
          },
          follower,
          progress: [],
          searchLater: false,
        })
        expect(seen.at(-1)).to.equal('ada')
        expect((await documents.read(['1', '2'])).get('1')).to.deep.equal(person('1', 5, 'known'))
        expect(await documents.get('2')).to.deep.equal({ name: 'bob', team: null })
      })

      it('refuses a document whose revision is not higher than the stored one', async () => {
        await write(documents, [person('1', 4, 'ada')])
        await write(documents, [person('1', 4, 'late'), person('2', 0, 'bob')])
        await write(documents, [person('1', 3, 'later')])
        expect(await documents.get('1')).to.deep.equal({ name: 'ada', team: null })
        expect(await documents.get('2')).to.deep.equal({ name: 'bob', team: null })
        expect(await documents.find('name', 'late')).to.deep.equal([])
      })

      it('keeps the highest of writes that race, from several connections', async () => {
        const second = (await connect()).open(people, foundBy)
        await Promise.all(
          [5, 2, 9, 1, 7, 3, 8, 4, 6, 0].map((revision, at) =>
            write(at % 2 === 0 ? documents : second, [person('1', revision, `name${revision}`)]),
          ),
        )
        expect(await documents.get('1')).to.deep.equal({ name: 'name9', team: null })
        expect(await searchAll(documents, 'name', 10)).to.deep.equal(['name9'])
      })

      it('remembers the revision of a removed document, and finds it nowhere', async () => {
        await write(documents, [person('1', 0, 'ada', 'x')])
        await write(documents, [person('1', 1, null)])
        expect(await documents.get('1')).to.equal(null)
        expect(await documents.getAt('1')).to.equal(null)
        expect(await documents.find('team', 'x')).to.deep.equal([])
        expect(await documents.findAt('team', 'x')).to.equal(null)
        expect(await searchAll(documents, 'da', 10)).to.deep.equal([])
        expect([...(await documents.read(['1'])).values()]).to.deep.equal([person('1', 1, null)])
        await write(documents, [person('1', 1, 'ghost')])
        expect(await documents.get('1')).to.equal(null)
        await write(documents, [person('1', 2, 'again')])
        expect(await searchAll(documents, 'gai', 10)).to.deep.equal(['again'])
      })

      it('moves a document from one index value to another', async () => {
        await write(documents, [person('1', 0, 'ada', 'x')])
        await write(documents, [person('1', 1, 'bea', 'y')])
        expect(await documents.find('team', 'x')).to.deep.equal([])
        expect(await documents.find('name', 'ada')).to.deep.equal([])
        expect(await documents.find('team', 'y')).to.deep.equal([{ name: 'bea', team: 'y' }])
        expect(await searchAll(documents, 'a', 10)).to.deep.equal(['bea'])
      })

      it('tells where many documents stand, and whose stream is parked', async () => {
        await write(documents, [person('1', 4, 'ada'), person('2', 1, null)])
        await documents.apply({
          keys: [],
          fold: () => ({ writes: [], parked: [parkedStream('person-3')] }),
          follower,
          progress: [],
          searchLater: false,
        })
        const asked = ['3', '1', '2'].map(key => ({ key, stream: `person-${key}` }))
        expect(await documents.standings(asked)).to.deep.equal([
          { revision: null, parked: true },
          { revision: 4n, parked: false },
          { revision: 1n, parked: false },
        ])
      })

      it('scans all of them in the order of their keys', async () => {
        const keys = ['b', 'a', 'é', '\ue000', '😀', '10', '9']
        await write(
          documents,
          keys.map(key => person(key, 0, `n${key}`)),
        )
        await write(documents, [person('a', 1, null)])
        const scanned: string[] = []
        for (let after: string | null = null; ; ) {
          const page: StoredDocument<Person>[] = await documents.scan({ limit: 3, after })
          scanned.push(...page.map(({ key }) => key))
          if (page.length < 3) break
          after = page.at(-1)?.key ?? null
        }
        expect(scanned).to.deep.equal(['10', '9', 'a', 'b', 'é', '\ue000', '😀'])
      })

      it('lists an index in order, both ways, within bounds, page by page', async () => {
        const teams = ['t1', 't3', 't2', 't3', null, 't2']
        await write(
          documents,
          teams.map((team, at) => person(`k${at}`, 0, `n${at}`, team)),
        )
        const list = async (range: Partial<Parameters<typeof documents.list>[1]>) => {
          const options = { direction: 'ascending' as const, limit: 10, after: null, ...range }
          return (await documents.list('team', options)).map(({ value, key }) => `${value} ${key}`)
        }
        const all = ['t1 k0', 't2 k2', 't2 k5', 't3 k1', 't3 k3']
        expect(await list({})).to.deep.equal(all)
        expect(await list({ direction: 'descending' })).to.deep.equal(all.toReversed())
        expect(await list({ from: 't2', to: 't2' })).to.deep.equal(['t2 k2', 't2 k5'])
        expect(await list({ from: 't2', direction: 'descending', limit: 3 })).to.deep.equal(
          all.toReversed().slice(0, 3),
        )
        expect(await list({ after: { value: 't2', key: 'k2' }, limit: 2 })).to.deep.equal(['t2 k5', 't3 k1'])
        expect(
          await list({ after: { value: 't2', key: 'k5' }, direction: 'descending', to: 't3' }),
        ).to.deep.equal(['t2 k2', 't1 k0'])
      })

      it('writes a repaired document whatever its revision', async () => {
        await write(documents, [person('1', 4, 'wrong'), person('3', 0, 'extra')])
        expect(await documents.repair('1', 4n, person('1', 2, 'right'))).to.equal(true)
        expect(await documents.repair('2', null, person('2', 0, 'missing'))).to.equal(true)
        expect(await documents.repair('3', 0n, null)).to.equal(true)
        expect([...(await documents.read(['1', '2', '3'])).values()]).to.deep.equal([
          person('1', 2, 'right'),
          person('2', 0, 'missing'),
        ])
        expect(await documents.find('name', 'wrong')).to.deep.equal([])
        expect(await searchAll(documents, '', 10)).to.deep.equal(['missing', 'right'])
      })

      it('repairs nothing that was written since it was looked at', async () => {
        await write(documents, [person('1', 1, 'newer'), person('2', 0, 'new')])
        expect(await documents.repair('1', 0n, person('1', 0, 'older'))).to.equal(false)
        expect(await documents.repair('1', 0n, null)).to.equal(false)
        expect(await documents.repair('2', null, person('2', 0, 'other'))).to.equal(false)
        expect(await documents.repair('2', null, null)).to.equal(false)
        expect(await documents.repair('3', 0n, person('3', 0, 'gone'))).to.equal(false)
        expect([...(await documents.read(['1', '2', '3'])).values()]).to.deep.equal([
          person('1', 1, 'newer'),
          person('2', 0, 'new'),
        ])
        expect(await searchAll(documents, '', 10)).to.deep.equal(['new', 'newer'])
      })

      it('tells what is not found by what it is to be found by, and what is found by more', async () => {
        async function check(keys: readonly string[]) {
          const check = await documents.checkIndexes()
          const unfindable = await check.unfindable(keys)
          const options = { remove: false, signal: new AbortController().signal }
          const strays: Stray[] = []
          for await (const stray of check.strays(options)) strays.push(stray)
          return { unfindable, strays }
        }
        await write(documents, [person('1', 0, 'ada', 'x'), person('2', 0, null), person('3', 0, 'cy')])
        expect(await check(['1', '2', '3', '4'])).to.deep.equal({ unfindable: [], strays: [] })
        await write(documents, [person('1', 1, 'eve', 'y')])
        expect(await check(['1', '3'])).to.deep.equal({ unfindable: [], strays: [] })
      })

      it('keeps generations apart', async () => {
        const second = { ...people, number: 2 }
        await store.createGeneration(second)
        await write(documents, [person('1', 0, 'ada')])
        const copy = store.open(second, foundBy)
        expect(await copy.get('1')).to.equal(null)
        expect((await store.generations('people')).map(({ number }) => number)).to.deep.equal([1, 2])
        await store.dropGeneration('people', 2)
        await store.dropGeneration('people', 2)
        expect(await store.generations('people')).to.deep.equal([people])
        expect(await documents.get('1')).to.deep.equal({ name: 'ada', team: null })
      })

      it('forgets the documents, leases and parked streams of a dropped generation', async () => {
        await store.createLeases(follower, 2, 'log-a')
        await write(documents, [person('1', 0, 'ada')])
        await store.dropGeneration('people', 1)
        await store.createGeneration(people)
        expect(await store.open(people, foundBy).get('1')).to.equal(null)
        expect(await store.leases(follower)).to.deep.equal([])
        expect(await store.parked()).to.deep.equal([])
      })
    })

    describe('searches', () => {
      it('as a naive search would, for any names and texts, page by page', async () => {
        let number = 1
        await fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(awkwardNames, { minLength: 1, maxLength: 40 }),
            fc.array(awkwardNames, { maxLength: 3 }),
            fc.integer({ min: 1, max: 7 }),
            fc.boolean(),
            async (names, texts, limit, later) => {
              const generation = { ...people, number: ++number }
              await store.createGeneration(generation)
              const some = store.open(generation, foundBy)
              await write(
                some,
                names.map((each, at) => person(String(at), 0, each)),
                [],
                later,
              )
              if (later) await completeSearch(some)
              const parts = names.flatMap(each => {
                const points = [...each]
                return [points.slice(1, 3).join(''), points.slice(0, 2).join(''), each]
              })
              for (const text of new Set(['', ...texts, ...parts.slice(0, 12)])) {
                expect(await searchAll(some, text, limit), `"${text}"`).to.deep.equal(
                  expectedOrder(names, text),
                )
              }
              await store.dropGeneration('people', generation.number)
            },
          ),
          { numRuns: 25 },
        )
      })

      it('page by page beyond names that begin with the text, in the order of UTF-8', async () => {
        const names = ['\uffff', '\ue000\uffff', '\ue000\uffffa', '\u{10ffff}\uffff']
        await write(
          documents,
          names.map((each, at) => person(String(at), 0, each)),
        )
        expect(await searchAll(documents, '\uffff', 1)).to.deep.equal(names)
      })

      it('the same however many hits there are', async () => {
        const letters = 'abcdefghij'
        const names = Array.from({ length: 6000 }, (_, at) => {
          const name = `${letters[at % 10]}${letters[(at * 7) % 10]}${at}`
          return at % 50 === 0 ? `zz${name}q` : name
        })
        for (let at = 0; at < names.length; at += 1000) {
          const some = names.slice(at, at + 1000)
          await write(
            documents,
            some.map((each, offset) => person(String(at + offset), 0, each)),
            [],
            true,
          )
        }
        await completeSearch(documents)
        for (const text of ['a', 'h', 'q', 'zz', '1', '11', '999', 'q5', 'nobody', 'ah']) {
          const expected = expectedOrder(names, text)
          for (let round = 0; round < 2; round++) {
            const page = await documents.search(text, { limit: 10, after: null })
            expect(page.documents.map(each => each.name)).to.deep.equal(expected.slice(0, 10))
          }
          expect(await searchAll(documents, text, 200), text).to.deep.equal(expected)
        }
      })

      it('texts longer than what the index holds', async () => {
        const long = 'abcdefghij'.repeat(5)
        await write(documents, [
          person('1', 0, `x${long}1`),
          person('2', 0, `y${long}2`),
          person('3', 0, long),
        ])
        expect(await searchAll(documents, long, 1)).to.deep.equal([long, `x${long}1`, `y${long}2`])
        expect(await searchAll(documents, `${long}2`, 1)).to.deep.equal([`y${long}2`])
        expect(await searchAll(documents, `${long}3`, 1)).to.deep.equal([])
      })

      it('each name once, however often it contains the text', async () => {
        await write(documents, [person('1', 0, 'banana'), person('2', 0, 'ananas'), person('3', 0, 'aaaa')])
        expect(await searchAll(documents, 'a', 1)).to.deep.equal(['aaaa', 'ananas', 'banana'])
        expect(await searchAll(documents, 'an', 1)).to.deep.equal(['ananas', 'banana'])
      })

      it('two documents of one name one after the other', async () => {
        await write(documents, [person('1', 0, 'ada'), person('2', 0, 'ada'), person('3', 0, 'ada')])
        expect(await searchAll(documents, 'ada', 1)).to.deep.equal(['ada', 'ada', 'ada'])
        expect(await searchAll(documents, 'da', 2)).to.deep.equal(['ada', 'ada', 'ada'])
        await write(documents, [person('2', 1, null)])
        expect(await searchAll(documents, 'd', 1)).to.deep.equal(['ada', 'ada'])
      })

      it('nothing for NUL and half surrogate pairs', async () => {
        await write(documents, [person('1', 0, 'ada')])
        for (const text of ['\0', 'a\0', '\ud83d', 'a\ude00']) {
          expect(await documents.search(text, { limit: 10, after: null })).to.deep.equal({
            documents: [],
            next: null,
          })
        }
      })

      it('from a place whose document is gone', async () => {
        await write(
          documents,
          ['ba', 'bab', 'cab', 'dab'].map((each, at) => person(String(at), 0, each)),
        )
        const first = await documents.search('ab', { limit: 1, after: null })
        await write(documents, [person('1', 1, null)])
        const second = await documents.search('ab', { limit: 5, after: first.next })
        expect(second.documents.map(each => each.name)).to.deep.equal(['cab', 'dab'])
      })

      it('completes only what belongs to the caller, and may do so twice', async () => {
        await write(documents, [person('1', 0, 'ada'), person('2', 0, 'adb')], [], true)
        await completeSearch(documents, stream => stream === 'person-1')
        await completeSearch(documents)
        await completeSearch(documents)
        expect(await searchAll(documents, 'd', 10)).to.deep.equal(['ada', 'adb'])
        await write(documents, [person('1', 1, null), person('2', 1, 'xd')])
        expect(await searchAll(documents, 'd', 10)).to.deep.equal(['xd'])
      })
    })

    describe('keeps leases', () => {
      beforeEach(() => store.createLeases(follower, 2, 'log-a'))

      const lease = async (partition: number): Promise<Lease> => {
        const found = (await store.leases(follower)).find(each => each.partition === partition)
        if (!found) throw new Error(`expected a lease of partition ${partition}, found none`)
        return found
      }

      const take = async (partition: number, owner: string): Promise<Lease> => {
        const taken = await store.takeLease(await lease(partition), owner)
        if (!taken) throw new Error(`expected ${owner} to get partition ${partition}`)
        return taken
      }

      it('that are made once, free and before all of the log', async () => {
        await take(1, 'a')
        await store.createLeases(follower, 2, 'log-b')
        const [free, taken] = await store.leases(follower)
        expect(free).to.deep.include({
          partition: 0,
          owner: null,
          checkpoint: -1n,
          logId: 'log-a',
          witness: null,
        })
        expect(free).to.deep.include({ caughtUp: false, searchable: false })
        expect(taken).to.deep.include({ partition: 1, owner: 'a', logId: 'log-a' })
      })

      it('that one of many contenders gets', async () => {
        const seen = await lease(0)
        const second = await connect()
        const taken = await Promise.all(
          Array.from({ length: 20 }, (_, at) => (at % 2 ? store : second).takeLease(seen, `w${at}`)),
        )
        const winners = taken.filter(each => each !== null)
        expect(winners).to.have.length(1)
        expect(await lease(0)).to.deep.equal(winners[0])
      })

      it('that cannot be taken by what was seen before a renewal', async () => {
        const held = await take(0, 'a')
        expect(await store.renewLeases(follower, [progress(held)])).to.deep.equal([])
        expect(await store.takeLease(held, 'b')).to.equal(null)
        expect((await lease(0)).owner).to.equal('a')
      })

      it('and move the checkpoint with each renewal', async () => {
        const held = await take(0, 'a')
        const witness = { stream: 'person-1', revision: 7n, id: 'event-1' }
        const further = { checkpoint: 18_000_000_000_000_000_000n, caughtUp: true, searchable: true, witness }
        await store.renewLeases(follower, [progress(held, further)])
        const after = await lease(0)
        expect(after).to.deep.include({ ...further, epoch: held.epoch, owner: 'a' })
        expect(after.renewals).to.be.greaterThan(held.renewals)
      })

      it('and refuse the renewals of who lost them', async () => {
        const late = await take(0, 'a')
        const kept = await take(1, 'a')
        const now = await take(0, 'b')
        const moved = [progress(late, { checkpoint: 5n }), progress(kept, { checkpoint: 6n })]
        expect(await store.renewLeases(follower, moved)).to.deep.equal([0])
        expect(await lease(0)).to.deep.equal(now)
        expect(await lease(1)).to.deep.include({ checkpoint: 6n, owner: 'a' })
      })

      it('and free them at once when they are released, with their checkpoint, but only by their holder', async () => {
        const late = await take(0, 'a')
        const held = await take(0, 'b')
        await store.releaseLeases(follower, [progress(late, { checkpoint: 3n })])
        expect(await lease(0)).to.deep.equal(held)
        await store.releaseLeases(follower, [progress(held, { checkpoint: 4n })])
        expect(await lease(0)).to.deep.include({ owner: null, checkpoint: 4n })
        expect(await store.renewLeases(follower, [progress(held)])).to.deep.equal([0])
      })

      it('and move checkpoints with documents, or not at all', async () => {
        const held = await take(0, 'a')
        const lost = await take(1, 'a')
        await take(1, 'b')
        const writes = [person('1', 0, 'ada')]
        expect(await write(documents, writes, [progress(held, { checkpoint: 8n })])).to.deep.equal([])
        expect(await documents.get('1')).to.deep.equal({ name: 'ada', team: null })
        expect((await lease(0)).checkpoint).to.equal(8n)
        expect(await write(documents, writes, [progress(lost, { checkpoint: 9n })])).to.deep.equal([1])
        expect((await lease(1)).checkpoint).to.equal(-1n)
      })

      it('and complete nothing for who lost them', async () => {
        const late = await take(0, 'a')
        await take(0, 'b')
        await write(documents, [person('1', 0, 'ada')], [], true)
        expect(await completeSearch(documents, () => true, [late])).to.deep.equal([0])
      })
    })

    describe('keeps pointers', () => {
      const first: Pointer = {
        projection: 'people',
        epoch: 0,
        lastNumber: 1,
        live: null,
        next: { number: 1, phase: 'building', pin: false },
        previous: null,
        pinned: false,
      }

      it('that one of many movers moves', async () => {
        const second = await connect()
        expect(await store.pointer('people')).to.equal(null)
        for (const epoch of [0, 1, 2]) {
          const moved = await Promise.all(
            Array.from({ length: 10 }, (_, at) =>
              (at % 2 ? store : second).movePointer({ ...first, epoch, lastNumber: at + 1 }),
            ),
          )
          expect(moved.filter(Boolean)).to.have.length(1)
          expect(await store.pointer('people')).to.deep.equal({
            ...first,
            epoch,
            lastNumber: moved.indexOf(true) + 1,
          })
        }
        expect(await store.movePointer({ ...first, epoch: 2 })).to.equal(false)
        expect(await store.movePointer({ ...first, epoch: 4 })).to.equal(false)
        expect(await store.pointer('others')).to.equal(null)
      })
    })

    it('knows the workers by their beats', async () => {
      await store.beat('a', ['people@1'])
      await store.beat('b', [])
      await store.beat('a', ['people@1', 'mailer'])
      const workers = (await store.workers()).toSorted((x, y) => (x.id < y.id ? -1 : 1))
      expect(workers).to.deep.equal([
        { id: 'a', beats: 2, feeds: ['people@1', 'mailer'] },
        { id: 'b', beats: 1, feeds: [] },
      ])
      await store.removeWorker('a')
      await store.removeWorker('a')
      expect((await store.workers()).map(({ id }) => id)).to.deep.equal(['b'])
    })

    it('remembers parked streams until they are unparked', async () => {
      const parked = [parkedStream('person-2'), parkedStream('person-1')]
      const fold = () => ({ writes: [], parked })
      await documents.apply({ keys: [], fold, follower, progress: [], searchLater: false })
      await documents.apply({ keys: [], fold, follower, progress: [], searchLater: false })
      expect(await store.parked(follower)).to.deep.equal(parked.toReversed())
      expect(await store.parked()).to.deep.equal(parked.toReversed())
      expect(await store.parked('other.1')).to.deep.equal([])
      expect(await store.requestRetry(follower, 'person-1')).to.equal(true)
      expect(await store.requestRetry(follower, 'person-9')).to.equal(false)
      expect((await store.parked(follower)).map(({ retry }) => retry)).to.deep.equal([true, false])
      await store.unpark(follower, 'person-1')
      await store.unpark(follower, 'person-1')
      expect((await store.parked()).map(({ stream }) => stream)).to.deep.equal(['person-2'])
    })

    it('keeps everything for the next to open it', async () => {
      await write(documents, [person('1', 0, 'ada')])
      await store.createLeases(follower, 1, 'log-a')
      await store.close()
      store = await place.connect()
      expect(await store.generations('people')).to.deep.equal([people])
      expect(await store.open(people, foundBy).get('1')).to.deep.equal({ name: 'ada', team: null })
      expect(await store.leases(follower)).to.have.length(1)
      expect(store.isDown()).to.equal(false)
    })
  })
}

function completeSearch(
  documents: Documents<Person, 'name' | 'team'>,
  belongs: (stream: string) => boolean = () => true,
  held: readonly Lease[] = [],
): Promise<number[]> {
  return documents.completeSearch({ follower, held, belongs, signal: new AbortController().signal })
}

function parkedStream(stream: string) {
  const since = '2024-01-01T00:00:00.000Z'
  return { follower, stream, revision: 3n, key: '1', error: 'no way', since, retry: false }
}
