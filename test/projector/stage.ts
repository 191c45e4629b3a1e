import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Profile, profiles } from '../../projections/profiles.ts'
import type { ProfileFields } from '../../src/account/events.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import {
  beforeAll,
  type EventStore,
  type JsonObject,
  type NewEvent,
  noStream,
  type RecordedEvent,
} from '../../src/event-store/event-store.ts'
import { openSqliteEventStore } from '../../src/event-store/sqlite.ts'
import { type Applied, createApplied } from '../../src/projector/applied.ts'
import { foldEvents, keyEvents } from '../../src/projector/fold.ts'
import type { Follower } from '../../src/projector/follower.ts'
import type { Projection } from '../../src/projector/projection.ts'
import { type FollowerWorker, startWorker, type WorkerTiming } from '../../src/projector/worker.ts'
import type { Documents, ReadStore, StoredDocument } from '../../src/read-store/read-store.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { eventually } from '../support/eventually.ts'

/** All that takes seconds in use takes moments here. */
export const quick: WorkerTiming = {
  renewMs: 15,
  leaseMs: 250,
  noticedMs: 40,
  keepFeedingMs: 150,
  keepStrayMs: 50,
  startMs: 1000,
}

export const logId = 'log-a'
export const silent = { info() {}, warn() {}, error() {} }

export const noFields: ProfileFields = {
  firstName: '',
  lastName: '',
  bio: '',
  favSport1: '',
  favSport2: '',
  favSport3: '',
  location: '',
  avatar: '',
}

function event(type: string, data: JsonObject): NewEvent {
  const id = randomUUID()
  const time = new Date().toISOString()
  return {
    id,
    type,
    data,
    metadata: { actor: 'system', time, $correlationId: id, $causationId: id, version: 1 },
  }
}

export const registered = (id: number, username: string): NewEvent =>
  event('UserRegistered', {
    userId: id,
    username,
    email: `${id}@example.com`,
    passwordHash: 'x',
    ...noFields,
  })
export const edited = (changes: Partial<ProfileFields>): NewEvent => event('ProfileEdited', changes)
/** One that no version of Roster can read. */
export const unreadable = (): NewEvent => event('NobodyKnowsThis', {})

/** The stores of a machine, and the workers started on them. */
export type Stage = {
  folder: string
  eventStore: EventStore
  readStore: ReadStore
  /** Another connection to the same read store, as another process has. */
  connect(): Promise<ReadStore>
  append(userId: number, ...events: NewEvent[]): Promise<bigint>
  start(options?: StartOptions): Promise<FollowerWorker>
  documents<Document extends JsonObject>(
    projection: Projection<Document>,
    number?: number,
  ): Promise<Documents<Document>>
  /** Resolves when the live profiles are what a fold of the log says. */
  untilTrue(projection?: Projection<Profile>): Promise<void>
  close(): Promise<void>
}

export type StartOptions = {
  projections?: readonly Projection<JsonObject>[]
  followers?: readonly Follower[]
  only?: readonly string[]
  partitions?: number
  readStore?: ReadStore
  logId?: string
  applied?: Applied
  timing?: Partial<WorkerTiming>
  batch?: (projection: string, events: number) => void
}

/** `log`: instead of one in SQLite; the stage closes it. */
export async function openStage(log?: EventStore): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'roster-projector-'))
  const eventStore = log ?? (await openSqliteEventStore({ file: join(folder, 'events.db') }))
  const readStore = await openSqliteReadStore(join(folder, 'read.db'))
  const opened = [readStore]
  const workers: FollowerWorker[] = []

  const stage: Stage = {
    folder,
    eventStore,
    readStore,
    async connect() {
      const another = await openSqliteReadStore(join(folder, 'read.db'))
      opened.push(another)
      return another
    },
    async append(userId, ...events) {
      const stream = `user-${userId}`
      const [last] = await eventStore.readStream(stream, { direction: 'backwards', limit: 1 })
      return (await eventStore.append(stream, events, last?.revision ?? noStream)).revision
    },
    async start(options = {}) {
      const worker = await startWorker({
        eventStore,
        readStore,
        logId,
        projections: [profiles],
        partitions: 4,
        log: silent,
        applied: createApplied(),
        ...options,
        timing: { ...quick, ...options.timing },
      })
      workers.push(worker)
      return worker
    },
    async documents(projection, number) {
      const pointer = await readStore.pointer(projection.name)
      const wanted = number ?? pointer?.live
      const generation = (await readStore.generations(projection.name)).find(each => each.number === wanted)
      if (!generation) throw new Error(`expected generation ${wanted} of ${projection.name}, found none`)
      return readStore.open(generation, projection)
    },
    async untilTrue(projection = profiles) {
      await eventually(async () => {
        const found = await scanAll(await stage.documents(projection))
        expect(found).to.deep.equal(await foldOfLog(eventStore, projection))
      })
    },
    async close() {
      await Promise.all(workers.map(worker => worker.stop()))
      for (const each of opened) await each.close()
      await eventStore.close()
      await rm(folder, { recursive: true })
    },
  }
  return stage
}

export async function scanAll<Document extends JsonObject>(
  documents: Documents<Document>,
): Promise<StoredDocument<Document>[]> {
  const all: StoredDocument<Document>[] = []
  for (;;) {
    const page = await documents.scan({ limit: 100, after: all.at(-1)?.key ?? null })
    all.push(...page)
    if (page.length < 100) return all
  }
}

/** What the documents should be, by the fold alone. */
export async function foldOfLog<Document extends JsonObject>(
  eventStore: EventStore,
  projection: Projection<Document>,
): Promise<StoredDocument<Document>[]> {
  const events: RecordedEvent[] = []
  const filter = { prefixes: projection.streams }
  for await (const batch of eventStore.readAll({ after: beforeAll, filter })) events.push(...batch.events)
  const { keyed } = keyEvents(projection, events, toRecorded)
  const { writes } = foldEvents(projection, keyed, new Map())
  return writes.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
}
