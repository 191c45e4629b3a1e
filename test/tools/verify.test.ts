import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { noStream } from '../../src/event-store/event-store.ts'
import type { WholeEventStore } from '../../src/event-store/log-transfer.ts'
import { createProfileQueries } from '../../src/projector/profile-queries.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { tablesOf } from '../../src/read-store/sqlite-tables.ts'
import { projections } from '../../src/roster.ts'
import { anEvent } from '../support/log-events.ts'
import { roster } from '../support/run-roster.ts'
import { erase, register, startSession, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

type Found = { kind: string; key?: string; stream?: string; paths?: string[]; problem?: string }
type World = {
  verify(...options: string[]): Promise<{ code: number; found: Found[]; summary: Found }>
  change(changing: (store: WholeEventStore) => Promise<unknown>): Promise<unknown>
  /** Runs SQL on one of the two files, as somebody with the wrong hands. */
  tamper(file: 'events' | 'read', sql: string): void
  /** How many users a search finds. */
  findable(): Promise<number>
  /** Brings the read models up to the end of the log. */
  replay(): Promise<unknown>
}

/** A log of ten users with a session each, and read models of it. */
function inWorld(
  use: (world: World) => Promise<void>,
  names: readonly string[] = ['profiles'],
): Promise<void> {
  return withTemporaryFolder(async folder => {
    const dataDir = join(folder, 'data')
    const environment = { DATA_DIR: dataDir }
    const change: World['change'] = changing => withLogIn(dataDir, changing)
    await change(async store => {
      for (const user of await register(store, 10)) await startSession(store, user, 1)
    })
    await roster(environment, ['replay', ...names])
    await use({
      change,
      replay: () => roster(environment, ['replay', ...names]),
      async verify(...options) {
        const { code, stdout, stderr } = await roster(environment, ['verify', '--json', ...options, ...names])
        expect(stderr).to.equal('')
        const lines: Found[] = stdout
          .split('\n')
          .slice(0, -1)
          .map(line => JSON.parse(line))
        return { code, found: lines.slice(0, -1), summary: lines.at(-1) ?? { kind: 'none' } }
      },
      tamper(file, sql) {
        const db = new Database(join(dataDir, `${file}.db`))
        db.exec(sql)
        db.close()
      },
      async findable() {
        const readStore = await openSqliteReadStore(join(dataDir, 'read.db'))
        try {
          const found = await createProfileQueries(readStore).search({ query: '', limit: 100, cursor: null })
          return found.profiles.length
        } finally {
          await readStore.close()
        }
      },
    })
  })
}

describe('roster verify', () => {
  it('finds what differs, is missing or too much in a read model, and mends just that', () =>
    inWorld(async ({ verify, tamper, findable }) => {
      expect(await verify()).to.deep.include({ code: 0, found: [] })
      const table = tablesOf({ projection: 'profiles', number: 1 }).documents
      tamper('read', `UPDATE ${table} SET document = json_set(document, '$.bio', 'hacked') WHERE key = '3'`)
      tamper('read', `DELETE FROM ${table} WHERE key = '5'`)
      tamper(
        'read',
        `INSERT INTO ${table} SELECT NULL, '77', 'user-77', 0, document FROM ${table} WHERE key = '1'`,
      )
      const expected = [
        { kind: 'differing', projection: 'profiles', key: '3', stream: 'user-3', paths: ['bio'] },
        { kind: 'missing', projection: 'profiles', key: '5', stream: 'user-5' },
        { kind: 'extra', projection: 'profiles', key: '77', stream: 'user-77' },
      ]
      const left = { kind: 'stray', projection: 'profiles', index: 'username', key: '5' }
      expect(await verify()).to.deep.include({ code: 1, found: [...expected, left] })
      const repaired = await verify('--repair')
      expect(repaired).to.deep.include({ code: 1, found: expected })
      expect(repaired.summary).to.include({ repaired: 3 })
      expect(await verify()).to.deep.include({ code: 0, found: [] })
      expect(await findable()).to.equal(10)
    }))

  it('finds a document that says to be of a later event than there is, or of another stream, and mends it', () =>
    inWorld(async ({ verify, tamper }) => {
      const table = tablesOf({ projection: 'profiles', number: 1 }).documents
      tamper('read', `UPDATE ${table} SET revision = 999 WHERE key = '3'`)
      tamper('read', `UPDATE ${table} SET stream = 'user-99' WHERE key = '4'`)
      const expected = [
        {
          ...{ kind: 'misplaced', projection: 'profiles', key: '3', stream: 'user-3' },
          problem: 'expected revision 0 of user-3, found 999',
        },
        {
          ...{ kind: 'misplaced', projection: 'profiles', key: '4', stream: 'user-4' },
          problem: 'expected it to be fed by user-4, found user-99',
        },
      ]
      const repaired = await verify('--repair')
      expect(repaired).to.deep.include({ code: 1, found: expected })
      expect(repaired.summary).to.include({ repaired: 2 })
      expect(await verify()).to.deep.include({ code: 0, found: [] })
    }))

  const { index, suffixes, grams } = tablesOf({ projection: 'profiles', number: 1 })
  for (const [what, table] of [
    ['name', index('username')],
    ['suffix of a name', suffixes],
    ['gram of a name', grams],
  ] as const) {
    it(`finds users who are not found by a ${what}, and mends that`, () =>
      inWorld(async ({ verify, tamper, findable }) => {
        tamper('read', `DELETE FROM ${table} WHERE key = '3'`)
        tamper('read', `UPDATE ${table} SET row = (SELECT max(row) FROM ${table}) WHERE key = '5'`)
        const expected = ['3', '5'].map(key => ({
          ...{ kind: 'unfindable', projection: 'profiles', key, stream: `user-${key}` },
        }))
        const repaired = await verify('--repair')
        expect(repaired).to.deep.include({ code: 1, found: expected })
        expect(repaired.summary).to.include({ repaired: 2 })
        expect(await verify()).to.deep.include({ code: 0, found: [] })
        expect(await findable()).to.equal(10)
      }))
  }

  for (const projection of projections) {
    for (const name of Object.keys(projection.indexes)) {
      const tables = tablesOf({ projection: projection.name, number: 1 })
      const [table, document] = [tables.index(name), `FROM ${tables.documents} LIMIT 1`]
      it(`finds in the index ${name} of ${projection.name} what no document is to be found by, and mends that`, () =>
        inWorld(
          async ({ verify, tamper }) => {
            tamper('read', `INSERT INTO ${table} SELECT 'other', key, row ${document}`)
            tamper('read', `INSERT INTO ${table} SELECT 'other', 'nobody', row ${document}`)
            tamper('read', `INSERT INTO ${table} VALUES ('later', 'nobody', 1000000)`)
            const { code, found } = await verify()
            expect({ code, kinds: found.map(({ kind }) => kind) }).to.deep.equal({
              code: 1,
              kinds: ['stray', 'stray', 'stray'],
            })
            expect(found.filter(({ key }) => key === 'nobody')).to.deep.equal(
              Array(2).fill({ kind: 'stray', projection: projection.name, index: name, key: 'nobody' }),
            )
            const repaired = await verify('--repair')
            expect(repaired).to.deep.include({ code: 1, found })
            expect(repaired.summary).to.include({ repaired: 3 })
            expect(await verify()).to.deep.include({ code: 0, found: [] })
          },
          [projection.name],
        ))
    }
  }

  for (const [what, table, part] of [
    ['suffix', suffixes, 'r'],
    ['gram', grams, 'rn'],
  ] as const) {
    it(`finds a ${what} of names that no user is to be found by, and mends that`, () =>
      inWorld(async ({ verify, tamper, findable }) => {
        tamper('read', `INSERT INTO ${table} VALUES ('${part}', 'earnest', '77', 77)`)
        tamper('read', `INSERT INTO ${table} VALUES ('${part}', 'earnest', '3', 3)`)
        tamper(
          'read',
          `INSERT OR IGNORE INTO ${table} SELECT DISTINCT '~~', value, key, row FROM ${table} WHERE key = '4'`,
        )
        const expected = ['3', '77', '4'].map(key => ({
          kind: 'stray',
          projection: 'profiles',
          index: 'username',
          key,
        }))
        expect(await verify()).to.deep.include({ code: 1, found: expected })
        const repaired = await verify('--repair')
        expect(repaired).to.deep.include({ code: 1, found: expected })
        expect(repaired.summary).to.include({ repaired: 3 })
        expect(await verify()).to.deep.include({ code: 0, found: [] })
        expect(await findable()).to.equal(10)
      }))
  }

  it('finds all by which a user was found whose document is gone, and mends that', () =>
    inWorld(async ({ verify, tamper, findable }) => {
      for (const [table, values] of [
        [index('username'), "('gone', '77', 77)"],
        [
          suffixes,
          "('gone', 'gone', '77', 77), ('one', 'gone', '77', 77), ('ne', 'gone', '77', 77), ('e', 'gone', '77', 77)",
        ],
        [grams, "('go', 'gone', '77', 77), ('on', 'gone', '77', 77), ('ne', 'gone', '77', 77)"],
      ]) {
        tamper('read', `INSERT INTO ${table} VALUES ${values}`)
      }
      const expected = [{ kind: 'stray', projection: 'profiles', index: 'username', key: '77' }]
      expect(await verify()).to.deep.include({ code: 1, found: expected })
      expect((await verify('--repair')).summary).to.include({ repaired: 1 })
      expect(await verify()).to.deep.include({ code: 0, found: [] })
      expect(await findable()).to.equal(10)
    }))

  for (const { name } of projections) {
    it(`finds a document changed by hand in the read model ${name}, whichever, and mends it`, () =>
      inWorld(
        async ({ verify, tamper }) => {
          expect(await verify()).to.deep.include({ code: 0, found: [] })
          const table = tablesOf({ projection: name, number: 1 }).documents
          const somewhere = `(SELECT key FROM ${table} ORDER BY random() LIMIT 1)`
          tamper(
            'read',
            `UPDATE ${table} SET document = json_set(document, '$.added', 1) WHERE key = ${somewhere}`,
          )
          const { code, found } = await verify()
          expect({ code, count: found.length }).to.deep.equal({ code: 1, count: 1 })
          expect(found[0]).to.deep.include({ kind: 'differing', projection: name, paths: ['added'] })
          expect((await verify('--repair')).summary).to.include({ repaired: 1 })
          expect(await verify()).to.deep.include({ code: 0, found: [] })
        },
        [name],
      ))
  }

  for (const { name } of projections) {
    it(`mends a document of ${name} that nothing finds any more`, () =>
      inWorld(
        async ({ verify, tamper }) => {
          const table = tablesOf({ projection: name, number: 1 }).documents
          tamper('read', `UPDATE ${table} SET document = '{}' WHERE row = (SELECT min(row) FROM ${table})`)
          expect(await verify('--repair')).to.deep.include({ code: 1 })
          expect(await verify()).to.deep.include({ code: 0, found: [] })
        },
        [name],
      ))
  }

  it('takes for no difference what no worker has come to yet', () =>
    inWorld(async ({ verify, change }) => {
      await change(async store => {
        await register(store, 2, 100)
        const edit = anEvent({ bio: 'new' }, { type: 'ProfileEdited' })
        await store.append(
          'user-1',
          [{ ...edit, metadata: { ...edit.metadata, time: '2099-01-01T00:00:00.000Z' } }],
          0n,
        )
      })
      const { code, found, summary } = await verify()
      expect({ code, found }).to.deep.equal({ code: 0, found: [] })
      expect(summary).to.include({ behind: 3 })
    }))

  it('takes for no difference what no worker has removed yet of a user who was erased', () =>
    inWorld(
      async ({ verify, change }) => {
        await change(async store => {
          await erase(store, { userId: 3, username: '', email: '' })
          await store.truncate('user-3', 1n)
        })
        expect(await verify()).to.deep.include({ code: 0, found: [] })
      },
      ['audit'],
    ))

  it('takes a row for no difference that an erasure is to remove, whatever came between', () =>
    inWorld(
      async ({ verify, change, replay }) => {
        const edit = anEvent({ bio: 'new' }, { type: 'ProfileEdited' })
        const late = { ...edit, metadata: { ...edit.metadata, time: '2098-01-01T00:00:00.000Z' } }
        await change(store => store.append('user-3', [late], 0n))
        await replay()
        await change(store => erase(store, { userId: 3, username: '', email: '' }))
        const { found } = await verify()
        expect(found.filter(({ kind }) => kind !== 'time goes back')).to.deep.equal([])
      },
      ['audit'],
    ))

  it('finds a document that stays behind although its worker has passed', () =>
    inWorld(async ({ verify, change, tamper }) => {
      await change(store => store.append('user-1', [anEvent({ bio: 'b' }, { type: 'ProfileEdited' })], 0n))
      tamper('read', "UPDATE leases SET checkpoint = 1000000 WHERE follower LIKE 'profiles%'")
      const { found } = await verify()
      expect(found.filter(({ kind }) => kind !== 'time goes back')).to.deep.equal([
        {
          kind: 'stale',
          projection: 'profiles',
          key: '1',
          stream: 'user-1',
          problem: 'expected revision 1 of user-1, found 0',
        },
      ])
    }))

  it('compares a stream up to its first event that cannot be read, and not what comes long after that', () =>
    inWorld(async ({ verify, change, tamper }) => {
      const edits = Array.from({ length: 4500 }, () => anEvent({ bio: 'b' }, { type: 'ProfileEdited' }))
      await change(store => store.append('user-1', [anEvent({}, { type: 'FromTheFuture' }), ...edits], 0n))
      tamper('read', "UPDATE leases SET checkpoint = 1000000 WHERE follower LIKE 'profiles%'")
      const { found } = await verify()
      expect(found.filter(({ kind }) => kind !== 'time goes back')).to.have.length(1)
      expect(found.find(({ kind }) => kind === 'unreadable')).to.include({ stream: 'user-1', revision: '1' })
    }))

  const damages: [
    what: string,
    damage: (world: World) => unknown,
    kind: string,
    stream: RegExp,
    problem: RegExp,
  ][] = [
    [
      'a gap in a stream',
      ({ change, tamper }) =>
        change(store => store.append('ids-user', [anEvent(), anEvent()], 0n)).then(() =>
          tamper('events', "DELETE FROM events WHERE stream = 'ids-user' AND revision = 1"),
        ),
      'gap',
      /^ids-user$/,
      /expected revision 1/,
    ],
    [
      'an id that comes twice in a stream',
      ({ change }) => {
        const event = anEvent()
        return change(async store => {
          await store.append('session-a', [event, anEvent()], noStream)
          await store.append('session-a', [event], 1n)
        })
      },
      'duplicate id',
      /^session-a$/,
      /revision 0 has the same id/,
    ],
    [
      'a time before the one before it',
      ({ change }) => change(store => store.append('user-2', [anEvent({}, { type: 'ProfileEdited' })], 0n)),
      'time goes back',
      /^user-2$/,
      /2026-01-01T12:00:00.000Z comes after/,
    ],
    [
      'an event of an unknown type',
      ({ change }) => change(store => store.append('user-2', [anEvent({}, { type: 'FromTheFuture' })], 0n)),
      'unreadable',
      /^user-2$/,
      /FromTheFuture/,
    ],
    [
      'a name that nobody claimed',
      ({ tamper }) => tamper('events', "DELETE FROM events WHERE stream LIKE 'email-%' AND position < 9"),
      'name',
      /^user-1$/,
      /expected the email to be claimed by its account, found nobody/,
    ],
    [
      'a name that nobody claimed for an account that is disabled',
      async ({ change, tamper }) => {
        await change(store => store.append('user-1', [anEvent({}, { type: 'AccountDisabled' })], 0n))
        tamper('events', "DELETE FROM events WHERE stream LIKE 'email-%' AND position < 9")
      },
      'name',
      /^user-1$/,
      /expected the email to be claimed by its account, found nobody/,
    ],
    [
      'a name that another account claimed as well',
      ({ tamper }) =>
        tamper(
          'events',
          `UPDATE events SET data = json_set(data, '$.stream', 'user-1')
           WHERE stream LIKE 'username-%' AND data ->> 'stream' = 'user-4'`,
        ),
      'name',
      /^user-4$/,
      /expected the username to be claimed by its account, found user-1/,
    ],
  ]
  for (const [what, damage, kind, stream, problem] of damages) {
    it(`finds ${what}`, () =>
      inWorld(async world => {
        await damage(world)
        const { code, found } = await world.verify()
        expect(code).to.equal(1)
        const finding = found.find(each => each.kind === kind)
        expect(finding?.stream).to.match(stream)
        expect(finding?.problem).to.match(problem)
      }))
  }

  it('says that it checked no names where it did not look at profiles', async () => {
    await inWorld(
      async ({ verify }) => {
        expect((await verify()).summary).to.include({ namesChecked: false })
      },
      ['sessions'],
    )
    await inWorld(async ({ verify }) => {
      expect((await verify()).summary).to.include({ namesChecked: true })
    })
  })

  it('says in words what it found, and where there is no read model to verify', () =>
    withTemporaryFolder(async folder => {
      const environment = { DATA_DIR: join(folder, 'data') }
      await withLogIn(environment.DATA_DIR, store => register(store, 1))
      const run = await roster(environment, ['verify'])
      expect(run.code).to.equal(1)
      expect(run.stdout).to.match(
        /^profiles: expected a read model in use, found none: start Roster or run replay$/m,
      )
      expect((await roster(environment, ['verify'], AbortSignal.abort())).code).to.equal(130)
    }))
})
