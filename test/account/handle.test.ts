import { join } from 'node:path'
import { expect } from 'chai'
import { type Account, editProfile, isRegistered } from '../../src/account/account.ts'
import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { Overloaded } from '../../src/account/domain-error.ts'
import { createHandler, type Handler, type Intent } from '../../src/account/handle.ts'
import { type EventStore, RevisionConflict } from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const stream = accountStream(1)
const noon = Date.UTC(2026, 0, 1, 12)
const fields = [
  'firstName',
  'lastName',
  'bio',
  'favSport1',
  'favSport2',
  'favSport3',
  'location',
  'avatar',
] as const
const empty = {
  firstName: '',
  lastName: '',
  bio: '',
  favSport1: '',
  favSport2: '',
  favSport3: '',
  location: '',
  avatar: '',
}

let keys = 0
const intent = (deadline = Number.POSITIVE_INFINITY): Intent => ({
  key: `command ${keys++}`,
  keyIsNew: true,
  actor: 1,
  requestId: 'request',
  deadline,
})

async function withUser(use: (store: EventStore) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async folder => {
    const store = await openSqliteEventStore({ file: join(folder, 'events.db') })
    try {
      const data = { userId: 1, username: 'ege', email: '', passwordHash: '-', ...empty }
      await createHandler({ store, now: () => noon }).handle(accounts, stream, intent(), () => [
        { type: 'UserRegistered', data },
      ])
      await use(store)
    } finally {
      await store.close()
    }
  })
}

/** Changes the bio; refuses to once it is `closed`. */
function editUnlessClosed(handler: Handler, bio: string) {
  return handler.handle(accounts, stream, intent(), account => {
    if (isRegistered(account) && account.profile.bio === 'closed') throw new Error('closed')
    return editProfile(account, { bio })
  })
}

describe('Handling commands', () => {
  it('keeps edits of different fields by several processes at the same moment', async () => {
    await withUser(async store => {
      const processes = [1, 2, 3].map(() => createHandler({ store, now: () => noon }))
      const edits = fields.map((field, index) =>
        processes[index % 3]?.handle(accounts, stream, intent(), account =>
          editProfile(account, { [field]: 'new' }),
        ),
      )
      await Promise.all(edits)
      const { state, revision } = await createHandler({ store, now: () => noon }).load(accounts, stream, 0)
      expect(revision).to.equal(8n)
      expect(state).to.have.property('profile').that.includes({ firstName: 'new', avatar: 'new', bio: 'new' })
    })
  })

  it('forgets what the log lost when it was replaced by an older copy of itself', async () => {
    await withUser(newer =>
      withUser(async older => {
        let log = newer
        const store: EventStore = {
          ...newer,
          append: (...append) => log.append(...append),
          readStream: (...read) => log.readStream(...read),
        }
        const handler = createHandler({ store, now: () => noon })
        const edit = (bio: string) =>
          handler.handle(accounts, stream, intent(performance.now() + 10_000), account =>
            editProfile(account, { bio }),
          )
        expect((await edit('lost')).revision).to.equal(1n)
        expect((await edit('lost too')).revision).to.equal(2n)
        log = older
        expect((await edit('kept')).revision).to.equal(1n)
      }),
    )
  })

  it('tells of each append that another was faster than', async () => {
    await withUser(async store => {
      let conflicts = 0
      const conflicted = () => {
        conflicts++
      }
      const handler = createHandler({ store, now: () => noon, conflicted })
      await handler.handle(accounts, stream, intent(), account => editProfile(account, { bio: 'x' }))
      expect(conflicts).to.equal(0)
      const late = { type: 'ProfileEdited' as const, data: { bio: 'late' } }
      const refused = await handler.appendAt(stream, late, 0n, '', intent()).catch((error: unknown) => error)
      expect(refused).to.be.instanceOf(RevisionConflict)
      expect(conflicts).to.equal(1)
    })
  })

  it('appends nothing when there is nothing to change', async () => {
    await withUser(async store => {
      const handled = await createHandler({ store, now: () => noon }).handle(
        accounts,
        stream,
        intent(),
        account => editProfile(account, { bio: '' }),
      )
      expect(handled).to.include({ appended: false, revision: 0n })
    })
  })

  it('refuses, and finds nothing to change, by the stream as it is, whatever it remembers of it', async () => {
    await withUser(async store => {
      const mine = createHandler({ store, now: () => noon })
      await editUnlessClosed(mine, 'a')
      await editUnlessClosed(createHandler({ store, now: () => noon }), 'b')
      expect(await editUnlessClosed(mine, 'a')).to.include({ appended: true, revision: 3n })
      await editUnlessClosed(mine, 'closed')
      await createHandler({ store, now: () => noon }).handle(accounts, stream, intent(), account =>
        editProfile(account, { bio: 'open' }),
      )
      expect(await editUnlessClosed(mine, 'c')).to.include({ appended: true, revision: 6n })
    })
  })

  it('refuses what the stream forbids by now, although it remembers one that did not', async () => {
    await withUser(async store => {
      const mine = createHandler({ store, now: () => noon })
      const theirs = createHandler({ store, now: () => noon })
      await editUnlessClosed(mine, 'open')
      await editUnlessClosed(theirs, 'closed')
      const refused = await editUnlessClosed(mine, 'mine').catch(String)
      expect(refused).to.equal('Error: closed')
      expect(await store.readStream(stream)).to.have.length(3)
    })
  })

  it('reads nothing before an append to a stream it remembers', async () => {
    await withUser(async log => {
      let reads = 0
      const store: EventStore = {
        ...log,
        readStream: (...read) => {
          reads++
          return log.readStream(...read)
        },
      }
      const handler = createHandler({ store, now: () => noon })
      await handler.load(accounts, stream, Number.POSITIVE_INFINITY)
      reads = 0
      const edited = await handler.handle(accounts, stream, intent(), account =>
        editProfile(account, { bio: 'new' }),
      )
      expect({ reads, revision: edited.revision }).to.deep.equal({ reads: 0, revision: 1n })
    })
  })

  it('takes what another appended by the same key as it was appended, whatever it remembers of the stream', async () => {
    await withUser(async store => {
      const key = 'a key of two processes'
      const by = (bio: string) => ({
        intent: { ...intent(), key, keyIsNew: false },
        decide: (account: Account) =>
          isRegistered(account) && account.profile.bio === '' ? editProfile(account, { bio }) : [],
      })
      const mine = createHandler({ store, now: () => noon })
      await mine.load(accounts, stream, Number.POSITIVE_INFINITY)
      const theirs = by('theirs')
      await createHandler({ store, now: () => noon }).handle(accounts, stream, theirs.intent, theirs.decide)
      const late = by('mine')
      const { state, appended } = await mine.handle(accounts, stream, late.intent, late.decide)
      expect({ state, appended }).to.have.nested.property('state.profile.bio', 'theirs')
      expect(appended).to.equal(false)
    })
  })

  it('sees what another process appended since it last looked', async () => {
    await withUser(async store => {
      const mine = createHandler({ store, now: () => noon })
      await mine.load(accounts, stream, Number.POSITIVE_INFINITY)
      await createHandler({ store, now: () => noon }).handle(accounts, stream, intent(), account =>
        editProfile(account, { bio: 'theirs' }),
      )
      const { state } = await mine.load(accounts, stream, Number.POSITIVE_INFINITY)
      expect(state).to.have.property('profile').that.includes({ bio: 'theirs' })
    })
  })

  it('never gives an event a time before the one before it, also when the clock is set back', async () => {
    await withUser(async store => {
      const late = createHandler({ store, now: () => noon - 3_600_000 })
      await late.handle(accounts, stream, intent(), account => editProfile(account, { bio: 'new' }))
      const times = (await store.readStream(stream)).map(({ metadata }) => metadata.time)
      expect(times).to.deep.equal([new Date(noon).toISOString(), new Date(noon).toISOString()])
    })
  })

  it('notes who did what for which request, as JSON that is stored for ever', async () => {
    await withUser(async store => {
      const [event] = await store.readStream(stream)
      expect(event?.metadata).to.deep.equal({
        userId: 1,
        actor: 1,
        time: new Date(noon).toISOString(),
        $correlationId: 'request',
        $causationId: 'request',
        version: 1,
      })
      expect(event?.id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    })
  })

  it('gives up at the deadline instead of deciding for ever', async () => {
    await withUser(async store => {
      const mine = createHandler({ store, now: () => noon })
      const theirs = createHandler({ store, now: () => noon })
      await mine.load(accounts, stream, Number.POSITIVE_INFINITY)
      let meddle: Promise<unknown> = Promise.resolve()
      const refused = await mine
        .handle(accounts, stream, intent(performance.now() - 1), () => {
          meddle = theirs.handle(accounts, stream, intent(), account =>
            editProfile(account, { bio: `${keys}` }),
          )
          return [{ type: 'ProfileEdited', data: { bio: 'mine' } }]
        })
        .then(String, (error: unknown) => error)
      await meddle
      expect(refused).to.be.instanceOf(Overloaded)
    })
  })
})
