import { hkdfSync } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { audit } from '../projections/audit.ts'
import { profiles } from '../projections/profiles.ts'
import { sessions } from '../projections/sessions.ts'
import { sessionIdOf } from './account/aggregates.ts'
import { type Claims, createClaims } from './account/claims.ts'
import { loadCommonPasswords } from './account/common-passwords.ts'
import { createAccounts } from './account/create-accounts.ts'
import { createHandler } from './account/handle.ts'
import { createPasswordHasher } from './account/password-hashing.ts'
import { createTokens } from './account/tokens.ts'
import { createUserIds } from './account/user-ids.ts'
import { whenKnown } from './account/when-known.ts'
import type { Config } from './config.ts'
import { eraserFollower } from './eraser/eraser-follower.ts'
import { type EventStore, type JsonObject, StoreUnavailable } from './event-store/event-store.ts'
import { type LogIdentity, openLog } from './event-store/log-identity.ts'
import { createAccountHistory } from './history/account-history.ts'
import { createApp } from './http/app.ts'
import { type HttpServer, startHttpServer } from './http/server.ts'
import { createForgetAccount } from './limits/forget-account.ts'
import { createKnownAddresses } from './limits/known-addresses.ts'
import { createLimiter } from './limits/limiter.ts'
import { sessionRangesSince } from './limits/session-ranges.ts'
import { mailerFollower } from './mailer/mailer-follower.ts'
import { type MailTransport, outboxTransport, smtpTransport } from './mailer/transport.ts'
import { openEventStore, openReadStore } from './open-stores.ts'
import { createHealth } from './ops/health.ts'
import { createMetrics } from './ops/metrics.ts'
import { startOpsServer } from './ops/ops-server.ts'
import { createApplied } from './projector/applied.ts'
import type { Follower } from './projector/follower.ts'
import { createForgetting } from './projector/forgetting.ts'
import { createProfileQueries } from './projector/profile-queries.ts'
import type { Projection } from './projector/projection.ts'
import { createSessionQueries } from './projector/session-queries.ts'
import { createVisibility } from './projector/visibility.ts'
import { type FollowerWorker, startWorker } from './projector/worker.ts'
import { generatedSecret } from './secret.ts'
import { sweeperFollower } from './sweeper/sweeper-follower.ts'
import { readTokenKeys } from './token-keys.ts'

/** No command is under way for longer than its own time and this. */
const latenessMs = 60_000

/** Every read model: one line each. */
export const projections: readonly Projection<JsonObject>[] = [profiles, sessions, audit]

export type Roster = {
  /** What listens where. */
  listening: { name: string; url: string }[]
  /** Finishes running requests within `graceMs`, gives leases back, closes the stores. */
  stop(graceMs: number): Promise<void>
}

/** Starts the roles that the configuration names, in this process. Throws what keeps it from starting. */
export async function startRoster(
  config: Config,
  log: Logger,
  now: () => number = Date.now,
): Promise<Roster> {
  const has = (role: Config['roles'][number]) => config.roles.includes(role)
  await mkdir(config.dataDir, { recursive: true })
  const secret = config.jwtSecret ?? (await generatedSecret(config.dataDir))
  const keys = config.jwtKeys === null ? [] : await readTokenKeys(config.jwtKeys)
  const tokens = createTokens({ secret: Buffer.from(secret), keys })
  const store = await openEventStore(config, log, () => metrics.appendRetried())
  const readStore = await openReadStore(config, log)
  const stopping = new AbortController()
  const identity = askForIdentity(store, log, stopping.signal, config.eventstoreUrl === null ? 0 : Infinity)

  const hasher = createPasswordHasher({ ...config.argon2, queueLimit: config.hashQueueLimit })
  const positionsCountEvents = config.eventstoreUrl === null && config.streamPrefix === ''
  const watched = { eventStore: store, readStore, projections, positionsCountEvents, now }
  const health = createHealth({ ...watched, readyMaxLagSeconds: config.readyMaxLagSeconds })
  const metrics = createMetrics({ hashesWaiting: () => hasher.waiting, readModels: health.figures })
  const handler = createHandler({ store, now, conflicted: metrics.appendConflicted })
  const applied = has('projector') ? { applied: createApplied() } : {}

  const accounts = identity.then(({ logId, namesKey }) => {
    const waiting = { readStore, logId, ...applied }
    const shown = createVisibility({ ...waiting, projection: profiles })
    const shownSessions = createVisibility({ ...waiting, projection: sessions })
    const { readYourWritesTimeoutMs } = config
    return createAccounts({
      store,
      handler,
      tokens,
      hasher,
      now,
      settings: config,
      claims: createClaims({ store, handler, namesKey, now }),
      nextUserId: createUserIds({ store, handler, blockSize: config.idBlockSize }),
      waitUntilVisible: (userId, stream, revision) =>
        shown.waitUntilVisible(String(userId), stream, revision, readYourWritesTimeoutMs),
      waitUntilSessionVisible: (stream, revision) =>
        shownSessions.waitUntilVisible(sessionIdOf(stream), stream, revision, readYourWritesTimeoutMs),
      warn: (error, message) => log.warn({ err: error }, message),
    })
  })

  const commands = whenKnown(accounts, { readAccessToken: token => tokens.readAccess(token, now()) })
  const sessionQueries = createSessionQueries(readStore, now)
  const counts = { rules: config.rateLimits, shared: readStore.counts, key: keyOfLimits(secret) }
  const limiter = createLimiter(counts)
  const known = createKnownAddresses({
    rangesSince: (username, since) =>
      sessionRangesSince({ accounts: commands, sessions: sessionQueries }, username, since),
    digest: limiter.digest,
    now,
  })

  const worker = identity.then(workerOf)
  // Both have their say where they are awaited; here it is only kept from being an unhandled rejection.
  for (const started of [accounts, worker]) started.catch(() => {})
  if (config.eventstoreUrl === null) await Promise.all([accounts, worker])

  const servers: { name: string; url: string; stop(graceMs: number): Promise<void> }[] = []
  try {
    if (has('api')) servers.push({ name: 'api', ...(await api()) })
    const ops = await startOps()
    if (ops) servers.push({ name: 'ops', ...ops })
  } catch (error) {
    await stop(0)
    throw error
  }
  return { listening: servers.map(({ name, url }) => ({ name, url })), stop }

  function actingOn({ logId, namesKey }: LogIdentity): Follower[] {
    const { smtpUrl, from } = config.mail
    const transport = smtpUrl
      ? smtpTransport(smtpUrl, from)
      : outboxTransport(join(config.dataDir, 'outbox'), from)
    const claims = createClaims({ store, handler, namesKey, now })
    return [mailerOf(transport, claims), sweeperOf(), eraserOf(logId, transport)]
  }

  function mailerOf(transport: MailTransport, claims: Claims): Follower {
    const { resetUrl, emailUrl } = config.mail
    const material = { tokens, resetUrl, emailUrl }
    return mailerFollower({ handler, claims, transport, ...material, now, log, sent: metrics.mail })
  }

  function sweeperOf(): Follower {
    return sweeperFollower({
      store,
      handler,
      sessions: sessionQueries,
      historyDays: config.sessionHistoryDays,
      now,
      log,
    })
  }

  function eraserOf(logId: string, transport: MailTransport): Follower {
    return eraserFollower({
      store,
      readStore,
      handler,
      sessions: sessionQueries,
      generations: createForgetting({ eventStore: store, readStore, logId, projections, log }),
      removals: [userId => transport.forget(userId), createForgetAccount({ store, limiter, known })],
      lateMs: config.commandTimeoutMs + latenessMs,
      log,
    })
  }

  async function workerOf(identity: LogIdentity): Promise<FollowerWorker | null> {
    const { logId } = identity
    const fed = has('projector') ? projections : []
    const followers = has('mailer') ? actingOn(identity) : []
    if (fed.length + followers.length === 0 || stopping.signal.aborted) return null
    return startWorker({
      eventStore: store,
      readStore,
      logId,
      projections: fed,
      followers,
      partitions: config.projectorPartitions,
      log,
      now,
      batch: metrics.batchApplied,
      ...applied,
    })
  }

  function api(): Promise<HttpServer> {
    loadCommonPasswords()
    return startHttpServer({
      port: config.port,
      host: config.host,
      log,
      timeouts: { silence: silenceMs(config) },
      createHandler: isStopping =>
        createApp({
          accounts: commands,
          profiles: createProfileQueries(readStore),
          sessions: sessionQueries,
          history: createAccountHistory(store),
          publicKeys: tokens.publicKeys,
          settings: config,
          log,
          limiter,
          known,
          requestAnswered: metrics.requestAnswered,
          throttled: metrics.throttled,
          loginFailed: metrics.loginFailed,
          isStopping,
        }).callback(),
    })
  }

  /** A busy port is no reason to stay down unless it was asked for by name. */
  async function startOps() {
    const { port, host, set } = config.ops
    try {
      return await startOpsServer({ port, host, readiness: health.readiness, metrics: metrics.page, log })
    } catch (error) {
      if (set) throw error
      log.warn({ port, host }, 'the ops port is in use: /readyz and /metrics are not served')
      return null
    }
  }

  async function stop(graceMs: number): Promise<void> {
    await Promise.all(servers.map(server => server.stop(graceMs)))
    stopping.abort()
    const running = await worker.catch(() => null)
    await running?.stop()
    await readStore.close()
    await store.close()
  }
}

/** Longer than any answer takes that is not overdue. */
function silenceMs({ commandTimeoutMs, readYourWritesTimeoutMs }: Config): number {
  return Math.max(30_000, 2 * (commandTimeoutMs + readYourWritesTimeoutMs))
}

/** What the keys of limits are made unreadable with, the same in all processes with one secret. */
function keyOfLimits(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'roster limits', 32))
}

/** Which log this is: asked again while the log does not answer, at most `retries` times. */
async function askForIdentity(
  store: EventStore,
  log: Logger,
  signal: AbortSignal,
  retries: number,
): Promise<LogIdentity> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await openLog(store)
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || attempt >= retries || signal.aborted) throw error
      log.warn({ err: error }, 'the event log does not answer; trying again')
      await pause(Math.min(10_000, 250 * 2 ** attempt) * (0.5 + Math.random()), undefined, { signal })
    }
  }
}
