import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { noStream } from '../../src/event-store/event-store.ts'
import type { WholeEventStore } from '../../src/event-store/log-transfer.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { type Importing, importLog } from '../../src/tools/import-log.ts'
import { startEventStoreDB } from '../support/eventstoredb/server.ts'
import { someEvents } from '../support/log-events.ts'
import { aShell, roster } from '../support/run-roster.ts'
import { erase, register, startSession, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

type Environment = Record<string, string>

/** A folder of its own, and how to run tools on the logs in it. */
function inFolder(use: (folder: Folder) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const file = (name: string) => join(folder, `${name}.ndjson`)
    const environment = (log: string | Environment) =>
      typeof log === 'string' ? { DATA_DIR: join(folder, log) } : log
    await use({
      file,
      change: (log, changing) => withLogIn(join(folder, log), changing),
      async export(log, name) {
        const run = await roster(environment(log), ['export', '--out', file(name)])
        expect(run.code, run.stderr).to.equal(0)
        return readFile(file(name), 'utf8')
      },
      import: (log, name) => roster(environment(log), ['import', '--json', file(name)]),
    })
  })
}
type Folder = {
  file(name: string): string
  change<T>(log: string, changing: (store: WholeEventStore) => Promise<T>): Promise<T>
  export(log: string | Environment, name: string): Promise<string>
  import(log: string | Environment, name: string): ReturnType<typeof roster>
}

/** Three users; the first one's session was refreshed so often that its stream begins above 0. */
async function aLog(store: WholeEventStore) {
  const users = await register(store, 3)
  for (const user of users) {
    const stream = await startSession(store, user, 20)
    if (user === users[0]) await store.truncate(stream, 16n)
  }
  return users
}

const failureOf = (importing: Importing): Promise<unknown> =>
  importLog(importing).then(
    () => expect.fail('expected a failure'),
    error => error,
  )

const result = (stdout: string): { events: number; truncated: number; ahead: number } => JSON.parse(stdout)

describe('roster import', () => {
  it('brings a log into an empty store, from where it exports to the same bytes', () =>
    inFolder(async folder => {
      await folder.change('a', aLog)
      const exported = await folder.export('a', 'a')
      const run = await folder.import('b', 'a')
      expect(run.code, run.stderr).to.equal(0)
      expect(result(run.stdout)).to.deep.equal({ events: 58, truncated: 0, ahead: 0 })
      expect(await folder.export('b', 'b')).to.equal(exported)
    }))

  it('moves a log from SQLite to EventStoreDB and back without a byte changed', () =>
    inFolder(async folder => {
      await folder.change('a', aLog)
      const exported = await folder.export('a', 'a')
      const server = await startEventStoreDB()
      try {
        const servers = { EVENTSTORE_URL: server.url, JWT_SECRET: 'x'.repeat(32), STREAM_PREFIX: 'moved-' }
        for (const again of [false, true]) {
          const run = await folder.import(servers, 'a')
          expect(run.code, run.stderr).to.equal(0)
          expect(result(run.stdout).events).to.equal(again ? 0 : 58)
        }
        expect(await folder.export(servers, 'b')).to.equal(exported)
      } finally {
        await server.stop()
      }
      expect((await folder.import('c', 'b')).code).to.equal(0)
      expect(await folder.export('c', 'c')).to.equal(exported)
    }))

  it('goes on where the log ends, and changes nothing when it is all there', () =>
    inFolder(async folder => {
      const users = await folder.change('a', aLog)
      await folder.export('a', 'early')
      await folder.change('a', async store => {
        await register(store, 2, users.length)
        for (const user of users) await startSession(store, user, 1)
      })
      const exported = await folder.export('a', 'late')
      expect(result((await folder.import('b', 'early')).stdout).events).to.equal(58)
      expect(result((await folder.import('b', 'late')).stdout).events).to.equal(13)
      expect(result((await folder.import('b', 'late')).stdout)).to.deep.equal({
        events: 0,
        truncated: 0,
        ahead: 0,
      })
      expect(result((await folder.import('b', 'early')).stdout)).to.deep.equal({
        events: 0,
        truncated: 0,
        ahead: 13,
      })
      expect(await folder.export('b', 'b')).to.equal(exported)
    }))

  it('goes on after a stop, having said so', () =>
    inFolder(async folder => {
      await folder.change('a', store => register(store, 5))
      const exported = await folder.export('a', 'a')
      const environment = { DATA_DIR: join(folder.file('b'), '..', 'b') }
      const run = await roster(environment, ['import', folder.file('a')], AbortSignal.abort())
      expect(run.code).to.equal(130)
      expect(run.stderr).to.include('the same command')
      expect((await folder.import('b', 'a')).code).to.equal(0)
      expect(await folder.export('b', 'b')).to.equal(exported)
    }))

  it('refuses a broken chain, and writes nothing', () =>
    inFolder(async folder => {
      await folder.change('a', aLog)
      const exported = await folder.export('a', 'a')
      const at = exported.length - 1000
      await writeFile(folder.file('a'), `${exported.slice(0, at)}?${exported.slice(at + 1)}`)
      const run = await folder.import('b', 'a')
      expect(run.code).to.equal(1)
      expect(run.stderr).to.match(/broken at line \d+/)
      expect(await folder.change('b', store => store.head())).to.equal(noStream)
    }))

  it('stops also while it counts what the log has besides', () =>
    inFolder(async folder => {
      const users = await folder.change('a', aLog)
      await folder.export('a', 'early')
      await folder.change('a', store => register(store, 2, users.length))
      const stop = new AbortController()
      const stopped = await folder.change('a', store =>
        failureOf({
          shell: aShell(stop.signal),
          store: {
            ...store,
            async *readTexts(options) {
              let count = 0
              for await (const batch of store.readTexts(options)) {
                for (const event of batch.events) {
                  if (++count > 59) stop.abort()
                  yield { ...batch, events: [event] }
                }
              }
            },
          },
          file: folder.file('early'),
          erasedThere: new Set(),
        }),
      )
      expect(stopped).to.include({ name: 'Stopped' })
      expect(stopped).property('message').to.include('the same command goes on')
    }))

  it('says so when somebody else writes to the store meanwhile, or it takes no event of that size', () =>
    inFolder(async folder => {
      await folder.change('a', aLog)
      await folder.export('a', 'a')
      const importInto = (store: WholeEventStore) =>
        failureOf({ shell: aShell(), store, file: folder.file('a'), erasedThere: new Set() })
      const conflict = await folder.change('b', store =>
        importInto({
          ...store,
          async restore(events) {
            await store.append('user-1', someEvents(1), noStream)
            await store.restore(events)
          },
        }),
      )
      expect(conflict).to.include({ name: 'ToolFailure', exitCode: 1 })
      expect(conflict)
        .property('message')
        .to.match(/stream user-1 is at 0; somebody else writes/)
      const small = await openSqliteEventStore({ file: folder.file('c'), maxAppendBytes: 300 })
      const tooLarge = await importInto(small).finally(() => small.close())
      expect(tooLarge).to.include({ name: 'ToolFailure', exitCode: 1 })
      expect(tooLarge)
        .property('message')
        .to.match(/the store takes at most 300; raise that limit/)
    }))

  it('refuses an export that another key signed, and one of a single user', () =>
    inFolder(async folder => {
      await folder.change('a', aLog)
      await folder.export('a', 'a')
      const key = folder.file('key')
      await roster({}, ['keys', 'new', key])
      const environment = { DATA_DIR: join(key, '..', 'a') }
      expect(
        (await roster(environment, ['import', '--key', `${key}.pub.pem`, folder.file('a')])).code,
      ).to.equal(1)
      await roster(environment, ['export', '--user', '1', '--out', folder.file('user')])
      const run = await folder.import('b', 'user')
      expect(run.code).to.equal(2)
      expect(run.stderr).to.include('user-1')
    }))

  describe('refuses a store that is not empty and no beginning of the export, and leaves it as it was:', () => {
    const cases: [what: string, spoil: (folder: Folder) => Promise<unknown>, message: RegExp][] = [
      ['another log', folder => folder.change('b', aLog), /expected the same log/],
      [
        'an event more',
        async folder => {
          await folder.import('b', 'early')
          await folder.change('b', store => store.append('session-own', someEvents(1), noStream))
        },
        /found revision 0 of session-own in the log besides/,
      ],
      [
        'another event in the place of one',
        async folder => {
          await folder.import('b', 'early')
          await folder.change('b', store => store.append('user-1', someEvents(1), 0n))
        },
        /revision 1 of user-1 is not that of line/,
      ],
    ]
    for (const [what, spoil, message] of cases) {
      it(what, () =>
        inFolder(async folder => {
          await folder.change('a', aLog)
          await folder.export('a', 'early')
          await folder.change('a', store => store.append('user-1', someEvents(2), 0n))
          await folder.export('a', 'late')
          await spoil(folder)
          const before = await folder.export('b', 'before')
          const run = await folder.import('b', 'late')
          expect(run.code).to.equal(1)
          expect(run.stderr).to.match(message)
          expect(await folder.export('b', 'after')).to.equal(before)
        }),
      )
    }
  })

  it('cuts off what was truncated since, and does not bring back what was truncated here', () =>
    inFolder(async folder => {
      const session = await folder.change('a', async store => {
        const [user] = await register(store, 1)
        const stream = user && (await startSession(store, user, 20))
        await register(store, 1, 1)
        return stream ?? ''
      })
      const whole = await folder.export('a', 'whole')
      await folder.change('a', async store => {
        await store.truncate(session, 16n)
        await register(store, 1, 2)
      })
      const cut = await folder.export('a', 'cut')
      await folder.import('b', 'whole')
      expect(result((await folder.import('b', 'cut')).stdout)).to.include({ truncated: 1 })
      expect(await folder.export('b', 'b')).to.equal(cut)
      const again = await folder.import('b', 'whole')
      expect(again.code, again.stderr).to.equal(0)
      expect(await folder.export('b', 'b'))
        .to.equal(cut)
        .and.not.equal(whole)
    }))

  it('erases who was erased since, also from sessions that were not cut off yet', () =>
    inFolder(async folder => {
      const users = await folder.change('a', aLog)
      await folder.export('a', 'before')
      await folder.import('b', 'before')
      const [, forgotten] = users
      await folder.change('a', async store => {
        if (forgotten) await erase(store, forgotten)
        await register(store, 1, users.length)
      })
      const after = await folder.export('a', 'after')
      const run = await folder.import('b', 'after')
      expect(run.code, run.stderr).to.equal(0)
      expect(await folder.export('b', 'b')).to.equal(after)
      const left = await folder.change('b', async store => {
        const events = []
        for await (const batch of store.readTexts()) events.push(...batch.events.map(({ data }) => data))
        return events.join('\n')
      })
      expect(left).to.include(`"${users[0]?.username}"`).and.not.include(`"${forgotten?.username}"`)
      expect((await folder.import('b', 'after')).code).to.equal(0)
    }))

  it('does not bring back who was erased here', () =>
    inFolder(async folder => {
      const users = await folder.change('a', aLog)
      await folder.export('a', 'before')
      const [, forgotten] = users
      await folder.change('a', async store => {
        if (forgotten) await erase(store, forgotten)
      })
      const after = await folder.export('a', 'after')
      const run = await folder.import('a', 'before')
      expect(run.code, run.stderr).to.equal(0)
      expect(await folder.export('a', 'again')).to.equal(after)
      await folder.import('b', 'after')
      expect((await folder.import('b', 'before')).code).to.equal(0)
      expect(await folder.export('b', 'b')).to.equal(after)
    }))

  it('takes a redacted export: into an empty store, and onto a log that has the contents still', () =>
    inFolder(async folder => {
      const [first, second] = await folder.change('a', aLog)
      await folder.export('a', 'whole')
      await roster({}, ['export', '--redact', folder.file('whole'), '2', '--out', folder.file('redacted')])
      for (const log of ['a', 'b']) {
        const run = await folder.import(log, 'redacted')
        expect(run.code, run.stderr).to.equal(0)
      }
      const text = await folder.export('b', 'b')
      expect(text).to.include(`"${first?.username}"`).and.not.include(`"${second?.username}"`)
    }))
})
