import { expect } from 'chai'
import fc from 'fast-check'
import { type AuditRow, audit, auditKey } from '../../projections/audit.ts'
import {
  type AuditFilter,
  auditPage,
  fromAuditCursor,
  toAuditCursor,
} from '../../src/projector/audit-queries.ts'
import { newGeneration } from '../../src/projector/generation-requests.ts'
import type { Documents, ReadStore } from '../../src/read-store/read-store.ts'
import { second } from '../support/given-when-then.ts'
import type { ReadStorePlace } from './conformance.ts'

type AuditDocuments = Documents<AuditRow, keyof typeof audit.indexes>

const types = ['ProfileEdited', 'MailSent', 'EmailChanged', 'EmailChangeRequested'] as const
const users = [4, 42, 420]
const actors = [4, 42, 'operator', 'system']

/** So few values that many rows have the same time, and that ids and types begin with one another. */
const rows: fc.Arbitrary<AuditRow[]> = fc
  .array(
    fc.record({
      type: fc.constantFrom(...types),
      userId: fc.constantFrom(...users),
      actor: fc.constantFrom(...actors),
      atSecond: fc.nat(12),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map(all =>
    all.map(({ type, userId, actor, atSecond }, revision) => ({
      ...{ stream: `user-${userId}`, revision, type, time: second(atSecond), actor, userId },
      request: `request-${revision}`,
    })),
  )

const filters: fc.Arbitrary<AuditFilter> = fc.record(
  {
    user: fc.constantFrom(...users, 7),
    actor: fc.constantFrom<number | string>(...actors, 7),
    types: fc.subarray([...types, 'PasswordReset'], { minLength: 1 }),
    since: fc.nat(12).map(second),
    until: fc.nat(12).map(second),
  },
  { requiredKeys: [] },
)

const keyOf = ({ stream, revision }: AuditRow) => auditKey(stream, BigInt(revision))

function wanted(all: readonly AuditRow[], { user, actor, types, since = '', until = '~' }: AuditFilter) {
  const found = all.filter(
    row =>
      (user === undefined || row.userId === user) &&
      (actor === undefined || row.actor === actor) &&
      (!types || types.includes(row.type)) &&
      row.time >= since &&
      row.time <= until,
  )
  const order = (row: AuditRow) => `${row.time} ${keyOf(row)}`
  return found.sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

async function readAll(
  documents: AuditDocuments,
  filter: AuditFilter,
  direction: 'ascending' | 'descending',
  limit: number,
): Promise<AuditRow[]> {
  const found: AuditRow[] = []
  for (let cursor: string | null = null; ; ) {
    const after = cursor === null ? null : fromAuditCursor(cursor)
    const page = await auditPage(documents, filter, { direction, limit, after })
    expect(page.rows).to.have.length.at.most(limit)
    found.push(...page.rows)
    if (!page.next) return found
    cursor = toAuditCursor(page.next)
  }
}

/** The audit, page by page, in a read store. */
export function auditConformance(name: string, fresh: () => Promise<ReadStorePlace>, runs = 60): void {
  describe(`The audit in ${name}`, () => {
    let place: ReadStorePlace
    let store: ReadStore
    let generations = 0

    before(async () => {
      place = await fresh()
      store = await place.connect()
    })
    after(async () => {
      await store.close()
      await place.remove()
    })

    async function written(all: readonly AuditRow[]): Promise<AuditDocuments> {
      const made = { number: ++generations, partitions: 1, logId: 'log-a', reason: 'a test', now: 0 }
      const generation = newGeneration(audit, made)
      await store.createGeneration(generation)
      const documents = store.open(generation, audit)
      const writes = all.map(row => ({
        ...{ key: keyOf(row), stream: row.stream, revision: BigInt(row.revision), document: row },
      }))
      const keys = writes.map(({ key }) => key)
      const fold = () => ({ writes, parked: [] })
      await documents.apply({ keys, fold, follower: 'audit.1', progress: [], searchLater: false })
      return documents
    }

    it('is paged in the order of time, from either end, by user, actor, types and times together', () =>
      fc.assert(
        fc.asyncProperty(
          rows,
          fc.array(filters, { minLength: 5, maxLength: 5 }),
          fc.integer({ min: 1, max: 30 }),
          async (all, some, limit) => {
            const documents = await written(all)
            for (const filter of [{}, ...some]) {
              const expected = wanted(all, filter)
              expect(await readAll(documents, filter, 'ascending', limit)).to.deep.equal(expected)
              expect(await readAll(documents, filter, 'descending', limit)).to.deep.equal(
                expected.toReversed(),
              )
            }
            await store.dropGeneration('audit', generations)
          },
        ),
        { numRuns: runs },
      )).timeout(120_000)

    it('goes on from a place before the times that are asked for as from their beginning', async () => {
      const row = { stream: 'user-4', type: 'MailSent', actor: 'system', request: '', userId: 4 } as const
      const all = [0, 1, 2, 3].map(at => ({ ...row, revision: at, time: second(at) }))
      const documents = await written(all)
      const timesFrom = async (direction: 'ascending' | 'descending', place: AuditRow | undefined) => {
        if (!place) throw new Error('expected a place')
        const after = { time: place.time, key: keyOf(place) }
        const filter = { since: second(1), until: second(2) }
        const page = await auditPage(documents, filter, { direction, limit: 10, after })
        return page.rows.map(({ time }) => time)
      }
      expect(await timesFrom('ascending', all[0])).to.deep.equal([second(1), second(2)])
      expect(await timesFrom('descending', all[3])).to.deep.equal([second(2), second(1)])
      expect(await timesFrom('ascending', all[3])).to.deep.equal([])
      expect(await timesFrom('descending', all[0])).to.deep.equal([])
    })
  })
}
