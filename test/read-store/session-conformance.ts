import { expect } from 'chai'
import { type SessionRow, sessions } from '../../projections/sessions.ts'
import { newGeneration } from '../../src/projector/generation-requests.ts'
import type { Projection } from '../../src/projector/projection.ts'
import { createSessionQueries, type SessionQueries } from '../../src/projector/session-queries.ts'
import type { ReadStore } from '../../src/read-store/read-store.ts'
import type { ReadStorePlace } from './conformance.ts'

const day = 86_400_000
const now = Date.UTC(2026, 0, 31, 12)
const userId = 4

/** The projection as it was before the sessions of a user were ordered by the day they end. */
const undated: Projection<SessionRow, keyof typeof sessions.indexes> = {
  ...sessions,
  version: 2,
  indexes: {
    ...sessions.indexes,
    user: row => (row.revoked ? `${row.userId} revoked` : String(row.userId)),
  },
}

type Kind = { prefix: string; userId: number; usedAt: number; endsAt: number; revoked?: boolean }

/** So many rows whose ids, in whose order a store lists what is alike, begin with a prefix. */
function rowsOf(count: number, { prefix, usedAt, endsAt, revoked = false, ...rest }: Kind): SessionRow[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ id: `${prefix}-${String(index).padStart(4, '0')}`, ...rest, device: '', addressRange: '' },
    ...{ startedAt: new Date(usedAt).toISOString(), lastUsedAt: new Date(usedAt).toISOString() },
    ...{ accountRevision: 0, endsAt: new Date(endsAt).toISOString(), revoked },
  }))
}

const ofKinds = {
  expired: rowsOf(1000, { prefix: 'a', userId, usedAt: now - 99 * day, endsAt: now - 85 * day }),
  expiredToday: rowsOf(3, { prefix: 'b', userId, usedAt: now - 14 * day - 1, endsAt: now - 1 }),
  revoked: rowsOf(300, { prefix: 'c', userId, usedAt: now - day, endsAt: now - day, revoked: true }),
  neighbours: rowsOf(5, { prefix: 'd', userId: 42, usedAt: now, endsAt: now + 14 * day }),
  endingToday: rowsOf(3, { prefix: 'e', userId, usedAt: now - 14 * day + 1, endsAt: now + 1 }),
  goingOn: rowsOf(1050, { prefix: 'f', userId, usedAt: now, endsAt: now + 14 * day }),
}
const { neighbours, ...theirs } = ofKinds

const idsOf = (...kinds: SessionRow[][]) =>
  kinds
    .flat()
    .map(({ id }) => id)
    .sort()

/** The sessions of a user, whatever others the user had, in a read store. */
export function sessionConformance(name: string, fresh: () => Promise<ReadStorePlace>): void {
  describe(`The sessions in ${name}`, function () {
    this.timeout(60_000)
    let place: ReadStorePlace
    let store: ReadStore
    let queries: SessionQueries

    beforeEach(async () => {
      place = await fresh()
      store = await place.connect()
      queries = createSessionQueries(store, () => now, { refreshMs: 0 })
    })
    afterEach(async () => {
      await store.close()
      await place.remove()
    })

    /** Fills a generation as a version of the projection does, and has it read from then on. */
    async function serve(projection: typeof undated, number: number): Promise<void> {
      const made = { number, partitions: 1, logId: 'log-a', reason: 'a test', now: 0 }
      const generation = newGeneration(projection, made)
      await store.createGeneration(generation)
      const documents = store.open(generation, projection)
      const writes = Object.values(ofKinds)
        .flat()
        .map(row => ({ key: row.id, stream: `session-${row.id}`, revision: 0n, document: row }))
      const keys = writes.map(({ key }) => key)
      const fold = () => ({ writes, parked: [] })
      await documents.apply({ keys, fold, follower: `sessions.${number}`, progress: [], searchLater: false })
      const pointer = {
        ...{ projection: 'sessions', epoch: number - 1, lastNumber: number, live: number },
        ...{ next: null, previous: null, pinned: false },
      }
      expect(await store.movePointer(pointer)).to.equal(true)
    }

    for (const [made, projection] of [
      ['by this version', sessions],
      ['by the version before', undated],
    ] as const) {
      describe(`in a generation that was made ${made}`, () => {
        beforeEach(() => serve(projection, 1))

        it('are all that go on, however many expired or were revoked', async () =>
          expect(idsOf(await queries.unexpired(userId))).to.deep.equal(
            idsOf(theirs.endingToday, theirs.goingOn),
          ))

        it('are all that were used since a time, expired or not', async () =>
          expect(idsOf(await queries.usedSince(userId, now - 30 * day))).to.deep.equal(
            idsOf(theirs.expiredToday, theirs.endingToday, theirs.goingOn),
          ))

        it('are all that are not forgotten', async () => {
          const found: SessionRow[] = []
          for await (const row of queries.allOfUser(userId)) found.push(row)
          expect(idsOf(found)).to.deep.equal(idsOf(...Object.values(theirs)))
        })
      })
    }

    for (const [from, to, title] of [
      [undated, sessions, 'a newer version is swapped in'],
      [sessions, undated, 'an older version is rolled back to'],
    ] as const) {
      it(`are all there for who reads on while ${title}`, async () => {
        await serve(from, 1)
        const found = new Map<string, SessionRow>()
        for await (const row of queries.allOfUser(userId)) {
          found.set(row.id, row)
          if (found.size === 1) await serve(to, 2)
        }
        expect(idsOf([...found.values()])).to.deep.equal(idsOf(...Object.values(theirs)))
      })
    }
  })
}
