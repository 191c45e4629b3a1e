import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** How a generation of a read model does. */
export type ReadModelFigures = {
  projection: string
  generation: number
  use: 'live' | 'next' | 'previous' | 'none'
  lagSeconds: number
  /** Only where the log can count them. */
  lagEvents: number | null
  /** How much of the log it has seen, 0 to 1. */
  progress: number
  parkedStreams: number
  /** Who holds each of its partitions; null: nobody. */
  holders: readonly (string | null)[]
}

export type MetricSources = {
  hashesWaiting(): number
  readModels(): Promise<ReadModelFigures[]>
}

export type Metrics = ReturnType<typeof createMetrics>

const readModel = ['projection', 'generation', 'use'] as const

/** What Roster counts and times, for Prometheus. What the read store knows is asked for when it is read. */
export function createMetrics(sources: MetricSources) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Counter({
    name: 'roster_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'route', 'status'] as const,
    registers,
  })
  const durations = new Histogram({
    name: 'roster_http_request_duration_seconds',
    help: 'Time from the arrival of a request to its answer.',
    labelNames: ['method', 'route'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const conflicts = new Counter({
    name: 'roster_append_conflicts_total',
    help: 'Appends refused because the stream had moved on.',
    registers,
  })
  const retries = new Counter({
    name: 'roster_append_retries_total',
    help: 'Appends repeated because their outcome was unknown.',
    registers,
  })
  const batches = new Histogram({
    name: 'roster_projection_batch_size',
    help: 'Events applied to a read model at a time.',
    labelNames: ['projection'] as const,
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
    registers,
  })
  const mails = new Counter({
    name: 'roster_mails_total',
    help: 'Mails by what came of them; a failed one is tried again.',
    labelNames: ['outcome'] as const,
    registers,
  })
  const failedLogins = new Counter({
    name: 'roster_failed_logins_total',
    help: 'Logins refused because of the username or the password.',
    registers,
  })
  const throttled = new Counter({
    name: 'roster_throttled_total',
    help: 'Requests refused because there were too many, by the limit.',
    labelNames: ['limit'] as const,
    registers,
  })
  new Gauge({
    name: 'roster_hash_queue_waiting',
    help: 'Password hashes that wait for a thread.',
    registers,
    collect() {
      this.set(sources.hashesWaiting())
    },
  })
  const lagSeconds = gauge(
    'roster_projection_lag_seconds',
    'How far a read model is behind the log, in time.',
  )
  const lagEvents = gauge(
    'roster_projection_lag_events',
    'How far a read model is behind the log, in events.',
  )
  const progress = gauge('roster_projection_progress', 'How much of the log a read model has seen, 0 to 1.')
  const parked = gauge('roster_parked_streams', 'Streams with an event that cannot be applied.')
  const partitions = new Gauge({
    name: 'roster_projection_partitions',
    help: 'Partitions of a read model by the worker that holds them; an empty holder: nobody.',
    labelNames: [...readModel, 'holder'] as const,
    registers,
  })
  const readModelGauges = [lagSeconds, lagEvents, progress, parked, partitions]

  function gauge(name: string, help: string) {
    return new Gauge({ name, help, labelNames: readModel, registers })
  }

  /** A read store that is down leaves these out, rather than the whole page. */
  async function collectFromReadStore(): Promise<void> {
    for (const each of readModelGauges) each.reset()
    const figures = await sources.readModels().catch(() => [])
    for (const { projection, generation, use, ...found } of figures) {
      const labels = { projection, generation: String(generation), use }
      lagSeconds.set(labels, found.lagSeconds)
      if (found.lagEvents !== null) lagEvents.set(labels, found.lagEvents)
      progress.set(labels, found.progress)
      parked.set(labels, found.parkedStreams)
      for (const holder of found.holders) partitions.inc({ ...labels, holder: holder ?? '' })
    }
  }

  return {
    /** `route` is the pattern, not the path. */
    requestAnswered(method: string, route: string, status: number, seconds: number): void {
      requests.inc({ method, route, status })
      durations.observe({ method, route }, seconds)
    },
    loginFailed: () => failedLogins.inc(),
    throttled: (limit: string) => throttled.inc({ limit }),
    appendConflicted: () => conflicts.inc(),
    appendRetried: () => retries.inc(),
    batchApplied: (projection: string, events: number) => batches.observe({ projection }, events),
    mail: (outcome: 'sent' | 'failed' | 'abandoned') => mails.inc({ outcome }),

    /** The page in Prometheus' text format. */
    async page(): Promise<{ contentType: string; body: string }> {
      await collectFromReadStore()
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}
