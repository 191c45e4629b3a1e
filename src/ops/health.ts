import type { EventStore } from '../event-store/event-store.ts'
import { type ProjectionStatus, projectionStatus } from '../projector/status.ts'
import type { ReadStore } from '../read-store/read-store.ts'
import type { ReadModelFigures } from './metrics.ts'
import type { Readiness } from './ops-server.ts'

type Watched = Parameters<typeof projectionStatus>[0]

export type HealthParts = {
  eventStore: EventStore
  readStore: ReadStore
  projections: readonly Watched[]
  positionsCountEvents: boolean
  readyMaxLagSeconds: number
  now(): number
}

const answerWithinMs = 3000

/** What `/readyz` and `/metrics` tell of the stores and read models. */
export function createHealth(parts: HealthParts) {
  const statusOf = (projection: Watched): Promise<ProjectionStatus> =>
    within(answerWithinMs, projectionStatus(projection, parts, parts.now()))

  return {
    /** Ready: both stores answer, and each read model is live and not further behind than it may be. */
    async readiness(): Promise<Readiness> {
      const checks: Readiness['checks'] = {}
      const check = async (name: string, ask: () => Promise<string | null>) => {
        const problem = await ask().catch((error: unknown) =>
          error instanceof Error ? error.message : String(error),
        )
        checks[name] = problem === null ? { ok: true } : { ok: false, detail: problem }
      }
      await Promise.all([
        check('event store', async () => {
          await within(answerWithinMs, parts.eventStore.head())
          return null
        }),
        check('read store', async () => {
          await within(answerWithinMs, parts.readStore.workers())
          return null
        }),
        ...parts.projections.map(projection =>
          check(`projection ${projection.name}`, async () => lagProblem(await statusOf(projection))),
        ),
      ])
      return { ready: Object.values(checks).every(({ ok }) => ok), checks }
    },

    /** Throws StoreUnavailable. */
    async figures(): Promise<ReadModelFigures[]> {
      const statuses = await Promise.all(parts.projections.map(statusOf))
      return statuses.flatMap(({ projection, generations }) =>
        generations.map(({ generation, use, lagSeconds, lagEvents, progress, parked, holders }) => ({
          projection,
          generation: generation.number,
          use,
          lagSeconds,
          lagEvents,
          progress,
          parkedStreams: parked.length,
          holders,
        })),
      )
    },
  }

  function lagProblem({ generations }: ProjectionStatus): string | null {
    const live = generations.find(({ use }) => use === 'live')
    if (!live) return 'expected a live generation, found none: it is being built for the first time'
    if (live.lagSeconds <= parts.readyMaxLagSeconds) return null
    return `expected at most ${parts.readyMaxLagSeconds} s behind the log, found ${live.lagSeconds.toFixed(1)} s`
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`expected an answer within ${milliseconds} ms, found none`)),
      milliseconds,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
