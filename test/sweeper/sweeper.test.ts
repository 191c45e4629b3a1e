import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { sessions as projection } from '../../projections/sessions.ts'
import { accountStream, sessionStream, sessions } from '../../src/account/aggregates.ts'
import type { SessionEvent } from '../../src/account/events.ts'
import { createHandler } from '../../src/account/handle.ts'
import { refreshSession, revokeSession, type Session, startSession } from '../../src/account/sessions.ts'
import { beforeAll as beginning, type RecordedEvent } from '../../src/event-store/event-store.ts'
import { createSessionQueries } from '../../src/projector/session-queries.ts'
import { createSweeper } from '../../src/sweeper/sweeper.ts'
import { sweeperFollower } from '../../src/sweeper/sweeper-follower.ts'
import { foldOfLog, openStage, registered, type Stage, scanAll, unreadable } from '../projector/stage.ts'
import { eventually } from '../support/eventually.ts'

const userId = 4
const client = { device: 'Firefox', addressRange: '192.0.2.0/24' }
const login = { userId, username: 'ege', accountRevision: 0, startedBy: 'login-1', ...client }
const day = 86_400_000
const refreshTtlSeconds = 14 * 86_400

/** A stage with a clock moved by hand, sessions of one user, and sweepers that look often. */
async function withSessions(use: (world: ReturnType<typeof worldOn>) => Promise<void>): Promise<void> {
  const stage = await openStage()
  try {
    await stage.append(userId, registered(userId, 'ege'))
    await use(worldOn(stage))
  } finally {
    await stage.close()
  }
}

function worldOn(stage: Stage) {
  const clock = { now: Date.now() }
  const now = () => clock.now
  const { eventStore } = stage
  const handler = createHandler({ store: eventStore, now })

  async function decide(
    id: string,
    decision: (session: Session, now: string) => SessionEvent[],
  ): Promise<void> {
    const intent = {
      key: randomUUID(),
      actor: userId,
      requestId: 'request',
      deadline: Number.POSITIVE_INFINITY,
    }
    await handler.handle(sessions, sessionStream(id), intent, (session, _revision, at) =>
      decision(session, at),
    )
  }

  const warnings: object[] = []
  const log = { info() {}, warn: (fields: object) => void warnings.push(fields) }
  const options = { store: eventStore, handler, historyDays: 400, now, log, firstPauseMs: 5 }
  return {
    clock,
    warnings,
    eventStore,
    async start(): Promise<string> {
      const id = randomUUID()
      await decide(id, (_session, at) => startSession(login, { now: at, refreshTtlSeconds }))
      return id
    },
    refresh: (id: string, counter: number) =>
      decide(id, (session, at) => {
        if (session.status !== 'live') throw new Error(`expected a live session, found ${session.status}`)
        const times = { now: at, graceSeconds: 30, refreshTtlSeconds }
        return refreshSession(session, { counter, ...client }, times).events
      }),
    revoke: (id: string) => decide(id, session => revokeSession(session, userId, 'logout')),
    typesOf: async (stream: string) => (await eventStore.readStream(stream)).map(({ type }) => type),
    lastOf: async (stream: string): Promise<RecordedEvent> => {
      const [last] = await eventStore.readStream(stream, { direction: 'backwards', limit: 1 })
      if (!last) throw new Error(`expected events in ${stream}, found none`)
      return last
    },
    /** A sweeper as the program has it, with the read model that it looks at. */
    async startSweeping(): Promise<void> {
      const queries = createSessionQueries(stage.readStore, now, { refreshMs: 10 })
      const follower = sweeperFollower({ ...options, sessions: queries, sweepEveryMs: 20 })
      await stage.start({ projections: [projection], followers: [follower] })
    },
    /** A sweeper that is fed by hand. */
    sweeper: () => createSweeper({ ...options, sessions: { async *endedBefore() {} }, mayAct: () => true }),
    rows: async () => scanAll(await stage.documents(projection)),
    folded: () => foldOfLog(eventStore, projection),
  }
}

describe('The sweeper', () => {
  it('forgets sessions so many days after they were revoked or expired, and no others', () =>
    withSessions(async ({ clock, start, revoke, refresh, startSweeping, typesOf, rows, folded }) => {
      const [revoked, expired, later] = [await start(), await start(), await start()]
      await revoke(revoked)
      clock.now += 10 * day
      await refresh(later, 0)
      const live = await start()
      clock.now += 404.5 * day
      await refresh(live, 0)
      await startSweeping()
      await eventually(async () => {
        expect(await typesOf(sessionStream(revoked))).to.deep.equal(['SessionForgotten'])
        expect(await typesOf(sessionStream(expired))).to.deep.equal(['SessionForgotten'])
      })
      expect(await typesOf(sessionStream(later))).to.deep.equal(['SessionStarted', 'SessionRefreshed'])
      expect(await typesOf(sessionStream(live))).to.deep.equal(['SessionStarted', 'SessionRefreshed'])
      await eventually(async () => expect(await rows()).to.deep.equal(await folded()))
      const shown = (await rows()).filter(({ document }) => document !== null).map(({ key }) => key)
      expect(shown).to.have.members([later, live])
      clock.now += 10 * day
      await eventually(async () => {
        expect(await typesOf(sessionStream(later))).to.deep.equal(['SessionForgotten'])
      })
      await eventually(async () => expect(await rows()).to.deep.equal(await folded()))
    }))

  it('forgets the others where something is wrong with one, and tries that again at each sweep', () =>
    withSessions(async ({ clock, warnings, eventStore, start, startSweeping, typesOf }) => {
      const broken = await start()
      await eventStore.append(sessionStream(broken), [unreadable()], 0n)
      clock.now += day
      const after = await start()
      clock.now += 415 * day
      await startSweeping()
      await eventually(async () => {
        expect(await typesOf(sessionStream(after))).to.deep.equal(['SessionForgotten'])
        const ofBroken = warnings.filter(fields => 'sessionId' in fields && fields.sessionId === broken)
        expect(ofBroken).to.have.length.greaterThan(1)
      })
      expect(await typesOf(sessionStream(broken))).to.deep.equal(['SessionStarted', 'NobodyKnowsThis'])
    }))

  it('lets the owner know of a theft, once, however often it hears of it', () =>
    withSessions(async ({ start, refresh, eventStore, sweeper, lastOf }) => {
      const id = await start()
      await refresh(id, 5)
      const revocation = await lastOf(sessionStream(id))
      expect(revocation.data).to.deep.equal({ userId, reason: 'theft' })
      for (const each of [sweeper(), sweeper()]) {
        await each.observe([revocation, revocation])
        await eventually(() => expect(each.doneUpTo(revocation.position)).to.equal(revocation.position))
        await each.stop()
      }
      const [, stolen, ...more] = await eventStore.readStream(accountStream(userId))
      expect(more).to.deep.equal([])
      expect(stolen?.data).to.deep.include({ sessionId: id, ...client })
      expect(stolen?.metadata).to.include({
        actor: 'system',
        userId,
        $correlationId: 'request',
        $causationId: revocation.id,
      })
    }))

  it('keeps old thefts, and ends of other kinds, to itself', () =>
    withSessions(async ({ clock, start, refresh, revoke, sweeper, lastOf, typesOf }) => {
      const [stolen, over] = [await start(), await start()]
      await refresh(stolen, 5)
      await revoke(over)
      clock.now += 8 * day
      const each = sweeper()
      const events = [await lastOf(sessionStream(stolen)), await lastOf(sessionStream(over))]
      await each.observe(events)
      await each.stop()
      expect(each.doneUpTo(events[1]?.position ?? beginning)).to.equal(events[1]?.position)
      expect(await typesOf(accountStream(userId))).to.deep.equal(['UserRegistered'])
    }))

  it('truncates what another one forgot and could not truncate, and stays before that until it is done', () =>
    withSessions(async ({ start, eventStore, sweeper, typesOf, lastOf }) => {
      const id = await start()
      const stream = sessionStream(id)
      const metadata = { ...(await lastOf(stream)).metadata, actor: 'system' as const, version: 1 }
      const forgotten = { id: randomUUID(), type: 'SessionForgotten', data: { userId }, metadata }
      await eventStore.append(stream, [forgotten], 0n)
      const { position } = await lastOf(stream)
      const truncate = eventStore.truncate.bind(eventStore)
      let failures = 0
      eventStore.truncate = async () => {
        failures += 1
        throw new Error('the store is away')
      }
      const each = sweeper()
      await each.observe([await lastOf(stream)])
      await eventually(() => expect(failures).to.be.greaterThan(1))
      expect(each.doneUpTo(position + 10n)).to.equal(position - 1n)
      eventStore.truncate = truncate
      await eventually(() => expect(each.doneUpTo(position + 10n)).to.equal(position + 10n))
      expect(await typesOf(stream)).to.deep.equal(['SessionForgotten'])
      await each.stop()
    }))
})
