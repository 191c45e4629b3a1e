// Stands in until projector.ts is there; then this file goes.
import { profiles as projection } from '../../projections/profiles.ts'
import { sessions as sessionsProjection } from '../../projections/sessions.ts'
import { toRecorded } from '../account/upcasters.ts'
import { beforeAll, type EventStore, type JsonObject, type Revision } from '../event-store/event-store.ts'
import type { Generation, ReadStore, StoredDocument } from '../read-store/read-store.ts'
import type { Follower } from './follower.ts'
import type { ProfileQueries } from './profile-queries.ts'
import type { Projection } from './projection.ts'
import type { SessionQueries } from './session-queries.ts'

export async function startInterim(store: EventStore, readStore: ReadStore, logId: string) {
  const stopped = new AbortController()
  const running: Promise<void>[] = []
  const waiting = new Set<() => void>()

  async function feed<Document extends JsonObject, Index extends string>(
    projection: Projection<Document, Index>,
  ) {
    const generation: Generation = {
      projection: projection.name,
      number: 1,
      version: 1,
      partitions: 1,
      logId,
      indexes: Object.keys(projection.indexes),
      searched: projection.searched ?? null,
      reason: 'interim',
      createdAt: new Date().toISOString(),
    }
    await readStore.createGeneration(generation)
    const documents = readStore.open(generation, projection)
    running.push(
      (async () => {
        for await (const { events } of store.subscribe({
          after: beforeAll,
          filter: { prefixes: projection.streams },
          signal: stopped.signal,
        })) {
          const recorded = events.map(toRecorded)
          const keys = [...new Set(recorded.flatMap(event => projection.key(event) ?? []))]
          if (keys.length === 0) continue
          await documents.apply({
            keys,
            follower: 'interim',
            progress: [],
            searchLater: false,
            fold(stored) {
              const folded = new Map<string, StoredDocument<Document>>(stored)
              const changed = new Set<string>()
              for (const event of recorded) {
                const key = projection.key(event)
                if (key === null) continue
                const before = folded.get(key)
                if (before && before.revision >= event.revision) continue
                const document = projection.evolve(before?.document ?? null, event)
                folded.set(key, { key, stream: event.stream, revision: event.revision, document })
                changed.add(key)
              }
              return { writes: [...changed].flatMap(key => folded.get(key) ?? []), parked: [] }
            },
          })
          for (const wake of waiting) wake()
        }
      })(),
    )
    return documents
  }

  const documents = await feed(projection)
  const sessions = await feed(sessionsProjection)

  async function shown(
    asked: Pick<typeof documents, 'standings'>,
    key: string,
    stream: string,
    revision: Revision,
    timeoutMs: number,
  ): Promise<boolean> {
    const end = performance.now() + timeoutMs
    for (;;) {
      const [standing] = await asked.standings([{ key, stream }])
      if (standing && standing.revision !== null && standing.revision >= revision) return true
      if (performance.now() > end) return false
      await new Promise<void>(resolve => {
        const timer = setTimeout(done, 20)
        function done() {
          clearTimeout(timer)
          waiting.delete(done)
          resolve()
        }
        waiting.add(done)
      })
    }
  }

  const profiles: ProfileQueries = {
    byId: id => documents.get(String(id)),
    byUsernameKey: async key => (await documents.find('username', key))[0] ?? null,
    async search({ query, limit }) {
      const page = await documents.search(query, { limit, after: null })
      return { profiles: page.documents, next: null }
    },
  }

  return {
    profiles,
    sessions: {
      ofUser: (userId: number) => sessions.find('user', String(userId)),
    } satisfies SessionQueries,
    wait: (userId: number, revision: Revision, timeoutMs: number) =>
      shown(documents, String(userId), `user-${userId}`, revision, timeoutMs),
    waitForSession: (stream: string, revision: Revision, timeoutMs: number) =>
      shown(sessions, stream.slice('session-'.length), stream, revision, timeoutMs),
    async follow(follower: Follower): Promise<void> {
      const work = follower.begin({ partition: 0, checkpoint: beforeAll, isHeld: () => true })
      running.push(
        (async () => {
          for await (const { events, checkpoint, caughtUp } of store.subscribe({
            after: beforeAll,
            filter: { prefixes: follower.streams },
            signal: stopped.signal,
          })) {
            await work.take(events, { through: checkpoint, caughtUp })
          }
          await work.end()
        })(),
      )
    },
    async stop(): Promise<void> {
      stopped.abort()
      await Promise.all(running)
    },
  }
}
