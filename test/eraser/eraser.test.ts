import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { audit } from '../../projections/audit.ts'
import { profiles } from '../../projections/profiles.ts'
import { sessions as sessionRows } from '../../projections/sessions.ts'
import { eraseByOperator } from '../../src/account/account.ts'
import { accountStream, accounts, sessionStream, sessions } from '../../src/account/aggregates.ts'
import { createHandler } from '../../src/account/handle.ts'
import { refreshSession, revokeSession, startSession } from '../../src/account/sessions.ts'
import { createEraser } from '../../src/eraser/eraser.ts'
import { eraserFollower } from '../../src/eraser/eraser-follower.ts'
import type { EventStore, JsonObject, RecordedEvent } from '../../src/event-store/event-store.ts'
import { createForgetting } from '../../src/projector/forgetting.ts'
import { newGeneration, requestRebuild } from '../../src/projector/generation-requests.ts'
import { firstPointer } from '../../src/projector/pointer-moves.ts'
import type { Projection } from '../../src/projector/projection.ts'
import { createSessionQueries } from '../../src/projector/session-queries.ts'
import type { ReadStore } from '../../src/read-store/read-store.ts'
import {
  edited,
  foldOfLog,
  logId,
  openStage,
  registered,
  type Stage,
  scanAll,
  silent,
  unreadable,
} from '../projector/stage.ts'
import { eventually } from '../support/eventually.ts'

const userId = 4
const stream = accountStream(userId)
const client = { device: 'Firefox', addressRange: '192.0.2.0/24' }
const refreshTtlSeconds = 14 * 86_400
const projections: readonly Projection<JsonObject>[] = [profiles, sessionRows, audit].map(each => ({
  ...each,
  restMs: 0,
}))
const never = new AbortController().signal
const intent = () => ({
  key: randomUUID(),
  actor: 'operator' as const,
  requestId: 'request',
  deadline: Number.POSITIVE_INFINITY,
})

/** A stage with two users, of whom one is to be erased, and all that their erasure needs. */
async function withUsers(use: (world: Awaited<ReturnType<typeof worldOn>>) => Promise<void>): Promise<void> {
  const stage = await openStage()
  try {
    await stage.append(userId, registered(userId, 'ege'), edited({ bio: 'sailor' }))
    await stage.append(5, registered(5, 'lewis'))
    await use(await worldOn(stage))
  } finally {
    await stage.close()
  }
}

async function worldOn(stage: Stage) {
  const { eventStore, readStore } = stage
  const handler = createHandler({ store: eventStore, now: Date.now, cachedStreams: 100 })
  const removed: number[] = []

  function eraserOptions(seen: { eventStore: EventStore; readStore: ReadStore } = stage) {
    return {
      store: seen.eventStore,
      readStore: seen.readStore,
      handler: createHandler({ store: seen.eventStore, now: Date.now, cachedStreams: 100 }),
      sessions: createSessionQueries(seen.readStore, Date.now, { refreshMs: 10 }),
      generations: createForgetting({ ...seen, logId, projections, log: silent }),
      removals: [async (id: number) => void removed.push(id)],
      log: silent,
    }
  }

  async function logIn(id = userId): Promise<string> {
    const session = sessionStream(randomUUID())
    const login = { userId: id, username: 'ege', accountRevision: 0, startedBy: 'request', ...client }
    await handler.handle(sessions, session, intent(), (_session, _revision, now) =>
      startSession(login, { now, refreshTtlSeconds }),
    )
    return session
  }

  async function lastOf(name: string): Promise<RecordedEvent> {
    const [last] = await eventStore.readStream(name, { direction: 'backwards', limit: 1 })
    if (!last) throw new Error(`expected events in ${name}, found none`)
    return last
  }

  return {
    stage,
    removed,
    logIn,
    lastOf,
    eraserOptions,
    typesOf: async (name: string) => (await eventStore.readStream(name)).map(({ type }) => type),
    async refresh(session: string, counter: number) {
      await handler.handle(sessions, session, intent(), (state, _revision, now) => {
        if (state.status !== 'live') throw new Error(`expected a live session, found ${state.status}`)
        const times = { now, graceSeconds: 30, refreshTtlSeconds }
        return refreshSession(state, { counter, ...client }, times).events
      })
    },
    revoke: (session: string) =>
      handler.handle(sessions, session, intent(), state => revokeSession(state, userId, 'logout')),
    async erase(): Promise<RecordedEvent> {
      await handler.handle(accounts, stream, intent(), (account, _revision, now) =>
        eraseByOperator(account, now),
      )
      return lastOf(stream)
    },
    start: (lateMs = 1) =>
      stage.start({
        projections,
        followers: [eraserFollower({ ...eraserOptions(), log: silent, lateMs, firstPauseMs: 5 })],
      }),
    /** Everything that is stored of a projection, in whichever generation. */
    rows: async <Document extends JsonObject>(projection: Projection<Document>, number?: number) =>
      scanAll(await stage.documents(projection, number)),
    async untilFolded() {
      for (const projection of projections) {
        await eventually(async () =>
          expect(await scanAll(await stage.documents(projection))).to.deep.equal(
            await foldOfLog(eventStore, projection),
          ),
        )
      }
    },
    readStore,
  }
}

/** The store as somebody sees it who is killed at one of its calls, and where that is. */
function mortal<Store extends object>(store: Store, life: { steps: number }): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || name === 'open' || name === 'isDown') return value
      return (...args: unknown[]) => {
        if (life.steps-- > 0) return Reflect.apply(value, target, args)
        const unanswered = () => new Promise<never>(() => {})
        // Some of its calls are awaited, others gone through.
        return Object.assign(unanswered(), { [Symbol.asyncIterator]: () => ({ next: unanswered }) })
      }
    },
  })
}

describe('The eraser', () => {
  it('leaves one event of each stream of the user, which tells nothing, and no document', () =>
    withUsers(async ({ stage, logIn, refresh, revoke, erase, start, typesOf, lastOf, rows, ...world }) => {
      const [live, over, theirs] = [await logIn(), await logIn(), await logIn(5)]
      await refresh(live, 0)
      await revoke(over)
      await start()
      await world.untilFolded()
      await erase()
      await eventually(async () => {
        expect(await typesOf(stream)).to.deep.equal(['UserErased'])
        for (const each of [live, over]) expect(await typesOf(each)).to.deep.equal(['SessionForgotten'])
      })
      await world.untilFolded()
      expect((await lastOf(stream)).data).to.have.all.keys('reservedUntil')
      expect((await lastOf(live)).data).to.deep.equal({ userId })
      const shown = [...(await rows(profiles)), ...(await rows(sessionRows))].filter(row => row.document)
      expect(shown.map(row => row.stream)).to.have.members(['user-5', theirs])
      const audited = (await rows(audit)).flatMap(({ document }) => document ?? [])
      const ofUser = audited.filter(row => row.userId === userId).map(({ type }) => type)
      expect(ofUser).to.deep.equal(['UserErased'])
      expect(world.removed).to.include(userId)
    }))

  it('goes on where another one was killed, whichever step that was', async () => {
    const whole = await stepsUntilDone()
    expect(whole).to.be.greaterThan(15)
    const atOnce = 4
    for (let first = 0; first < whole; first += atOnce) {
      const length = Math.min(atOnce, whole - first)
      await Promise.all(Array.from({ length }, (_, next) => killedAt(first + next)))
    }

    function killedAt(steps: number): Promise<void> {
      return withUsers(async ({ stage, logIn, erase, eraserOptions, typesOf, untilFolded }) => {
        const [one, other] = [await logIn(), await logIn()]
        await stage.start({ projections })
        const erased = await erase()
        const life = { steps }
        const seen = {
          eventStore: mortal(stage.eventStore, life),
          readStore: mortal(stage.readStore, life),
        }
        void createEraser(eraserOptions(seen)).erase(erased, never)
        await eventually(() => expect(life.steps).to.be.lessThan(0))
        await createEraser(eraserOptions()).erase(erased, never)
        expect(await typesOf(stream)).to.deep.equal(['UserErased'])
        for (const each of [one, other]) {
          const types = await typesOf(each)
          // Killed between the two, the sweeper truncates what was forgotten.
          expect(types.at(-1)).to.equal('SessionForgotten')
        }
        await untilFolded()
      })
    }

    async function stepsUntilDone(): Promise<number> {
      const life = { steps: Number.MAX_SAFE_INTEGER }
      await withUsers(async ({ stage, logIn, erase, eraserOptions }) => {
        await logIn()
        await logIn()
        await stage.start({ projections })
        const seen = {
          eventStore: mortal(stage.eventStore, life),
          readStore: mortal(stage.readStore, life),
        }
        await createEraser(eraserOptions(seen)).erase(await erase(), never)
      })
      return Number.MAX_SAFE_INTEGER - life.steps
    }
  })

  it('forgets a session that a login began before it heard of the erasure', () =>
    withUsers(async ({ logIn, erase, start, typesOf, untilFolded }) => {
      await start(300)
      await erase()
      await eventually(async () => expect(await typesOf(stream)).to.deep.equal(['UserErased']))
      const late = await logIn()
      await eventually(async () => expect(await typesOf(late)).to.deep.equal(['SessionForgotten']))
      await untilFolded()
    }))

  it('removes what a read model kept for a way back has of the user, and nothing else', () =>
    withUsers(async ({ stage, logIn, erase, start, rows, readStore }) => {
      const [session, theirs] = [await logIn(), await logIn(5)]
      await start()
      for (const projection of projections) {
        await requestRebuild(readStore, projection, { partitions: 2, logId, reason: 'test', now: Date.now() })
        await eventually(async () => {
          const pointer = await readStore.pointer(projection.name)
          expect(pointer).to.deep.include({ live: 2, previous: { number: 1, fed: false } })
        })
      }
      expect((await rows(profiles, 1)).map(row => row.document?.username)).to.deep.equal(['ege', 'lewis'])
      await erase()
      await eventually(async () => {
        const [gone, left] = await rows(profiles, 1)
        expect(gone).to.deep.equal({ key: '4', stream, revision: 2n, document: null })
        expect(left?.document).to.include({ username: 'lewis' })
        const old = await rows(sessionRows, 1)
        expect(old.find(row => row.stream === session)?.document).to.equal(null)
        expect(old.find(row => row.stream === theirs)?.document).to.include({ userId: 5 })
        const audited = (await rows(audit, 1)).flatMap(({ document }) => document ?? [])
        expect(audited.map(row => row.userId)).to.deep.equal([5, 5])
      })
      const generation = (await readStore.generations('profiles')).find(({ number }) => number === 1)
      if (!generation) throw new Error('expected the generation that was kept, found none')
      const page = { limit: 10, after: null }
      const found = await readStore.open(generation, profiles).search('', page)
      expect(found.documents.map(({ username }) => username)).to.deep.equal(['lewis'])
      await stage.untilTrue()
    }))

  it('has a kept read model dropped that older code made in another form', () =>
    withUsers(async ({ erase, readStore, stage, eraserOptions }) => {
      const older: Projection<JsonObject> = {
        ...profiles,
        version: profiles.version - 1,
        indexes: { ...profiles.indexes, bio: ({ bio }) => String(bio) },
      }
      const first = await stage.start({ projections: [older] })
      await first.stop()
      await stage.start({ projections })
      await eventually(async () => {
        const pointer = await readStore.pointer('profiles')
        expect(pointer).to.deep.include({ live: 2, previous: { number: 1, fed: false } })
      })
      const eraser = createEraser(eraserOptions())
      const erased = await erase()
      await eventually(() => eraser.erase(erased, never))
      const numbers = (await readStore.generations('profiles')).map(({ number }) => number)
      expect(numbers).to.deep.equal([2])
      expect(await readStore.pointer('profiles')).to.deep.include({ live: 2, previous: null })
    }))

  it('leaves no stream of the user parked, nor the document that it stopped at', () =>
    withUsers(async ({ stage, start, readStore, untilFolded }) => {
      await start()
      await stage.append(userId, unreadable())
      await eventually(async () => {
        const parked = await readStore.parked()
        expect(parked.map(each => each.stream)).to.deep.equal([stream, stream])
      })
      // Nobody can fold the account either, so this is not a command's event.
      const [last] = await stage.eventStore.readStream(stream, { direction: 'backwards', limit: 1 })
      if (!last) throw new Error('expected events, found none')
      const data = { reservedUntil: '2026-02-01T00:00:00.000Z' }
      const event = { ...last, id: randomUUID(), type: 'UserErased', data }
      await stage.eventStore.append(stream, [event], last.revision)
      await eventually(async () => expect(await readStore.parked()).to.deep.equal([]))
      await untilFolded()
    }))

  for (const [what, next, why] of [
    ['is dropped', null, /audit.1 is not dropped yet/],
    ['is built', { number: 1, phase: 'building', pin: false }, /audit.1 is about to be built/],
  ] as const) {
    it(`forgets sessions while a large read model ${what}, and is not done before it`, () =>
      withUsers(async ({ stage, logIn, erase, eraserOptions, typesOf, readStore }) => {
        const session = await logIn()
        await stage.start({ projections: projections.filter(({ name }) => name !== 'audit') })
        await readStore.movePointer({ ...firstPointer('audit'), epoch: 0, lastNumber: 1, next })
        const made = { number: 1, partitions: 2, logId, reason: 'test', now: Date.now() }
        await readStore.createGeneration(newGeneration(audit, made))
        const erased = await erase()
        const eraser = createEraser(eraserOptions())
        await eventually(async () => {
          const outcome = await eraser.erase(erased, AbortSignal.abort()).then(() => 'done', String)
          expect(outcome).to.match(why)
        })
        expect(await typesOf(session)).to.deep.equal(['SessionForgotten'])
        await readStore.dropGeneration('audit', 1)
        await readStore.movePointer({ ...firstPointer('audit'), epoch: 1, lastNumber: 1 })
        await eraser.erase(erased, never)
      }))
  }

  it('waits for a read model that is behind, and stays before the erasure until all is done', () =>
    withUsers(async ({ stage, logIn, erase, eraserOptions, lastOf }) => {
      const first = await stage.start({ projections })
      await stage.untilTrue()
      await first.stop()
      await logIn()
      const erased = await erase()
      const eraser = createEraser(eraserOptions())
      const refused = await eraser.erase(erased, AbortSignal.abort()).then(
        () => 'done',
        error => String(error),
      )
      expect(refused).to.match(/has not come to/)
      const follower = eraserFollower({ ...eraserOptions(), log: silent, lateMs: 60_000 })
      const hold = { partition: 0, checkpoint: erased.position - 1n, isHeld: () => true }
      const work = follower.begin(hold)
      const { position } = await lastOf(stream)
      await work.take([erased], { through: position, caughtUp: true })
      expect(work.done()).to.equal(erased.position - 1n)
      await work.end()
    }))
})
