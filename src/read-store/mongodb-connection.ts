import { setTimeout as pause } from 'node:timers/promises'
import type { MongoClient, MongoClientOptions } from 'mongodb'
import { StoreUnavailable } from '../event-store/event-store.ts'
import type { CountTiming } from './mongodb-counts.ts'
import { describe, NoContact, readStoreError, within } from './mongodb-failures.ts'
import type { OpenedClient } from './mongodb-url.ts'

export type Warn = { warn(fields: object, message: string): void }

/** All in milliseconds. */
export type MongodbTiming = CountTiming & {
  /** How long a call may take at most, whatever it waits for. */
  callMs: number
  /** How long a connection may take to be made, and a heartbeat to be answered. */
  silenceMs: number
  /** How often the server is asked whether it is there. */
  heartbeatMs: number
  /** How long calls wait for a server that was there a moment ago; later they fail at once. */
  graceMs: number
}

export const patient: MongodbTiming = {
  callMs: 4000,
  silenceMs: 2000,
  heartbeatMs: 1000,
  graceMs: 1000,
  countMs: 1000,
  countPauseMs: 5000,
}

/** The way to a database: it is used inside `run` alone. */
export type Session = {
  /** The outcome of `work`, once the database is prepared. Throws StoreUnavailable, soon. */
  run<T>(what: string, work: () => Promise<T>): Promise<T>
  isDown(): boolean
  close(): Promise<void>
}

/** A failed call tells for so long that the store is down, unless another one succeeds. */
const failureCountsMs = 2000
const contactMs = 10_000
const closeMs = 1000
/** Longer than the driver takes where it finds the server again by itself. */
const renewMs = 8000

export const clientOptions = ({ callMs, silenceMs, heartbeatMs }: MongodbTiming): MongoClientOptions => ({
  appName: 'roster',
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  useBigInt64: true,
  connectTimeoutMS: silenceMs,
  socketTimeoutMS: callMs,
  serverSelectionTimeoutMS: silenceMs,
  waitQueueTimeoutMS: silenceMs,
  heartbeatFrequencyMS: heartbeatMs,
})

/**
 * Connects in the background, for as long as it takes, and prepares the database once it is there; the driver sees to
 * all later interruptions.
 */
export function connectMongodb(
  { client, address }: OpenedClient,
  options: { prepare(): Promise<void>; timing: MongodbTiming; log?: Warn },
): Session {
  const { timing, log } = options
  const closing = new AbortController()
  let prepared = false
  /** Since when no server is known that takes writes, or null. */
  let lostSince: number | null = null
  let failedAt = Number.NEGATIVE_INFINITY
  let tried = false
  let renewedAt = Number.NEGATIVE_INFINITY
  let failure = 'not reached yet'
  const warnOfLoss = () => log?.warn({ address, reason: failure }, 'the read store is out of reach')

  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const servers = [...newDescription.servers.values()]
    const isThere = servers.some(server => server.isWritable)
    for (const { error } of servers) if (error) failure = describe(error)
    if (prepared && !closing.signal.aborted) {
      if (lostSince !== null && isThere) log?.warn({ address }, 'the read store is there again')
      if (lostSince === null && !isThere) warnOfLoss()
    }
    lostSince = isThere ? null : (lostSince ?? performance.now())
  })

  async function makeContact(): Promise<void> {
    try {
      await within(
        contactMs,
        client.connect().then(() => options.prepare()),
      )
    } catch (error) {
      failure = describe(error)
      if (!tried && !closing.signal.aborted) warnOfLoss()
      tried = true
      throw new NoContact(failure)
    }
    if (tried) log?.warn({ address }, 'the read store is there')
    prepared = true
  }

  async function keepTrying(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        return await contact
      } catch {
        // Not all at once, where many processes wait for one server.
        const ms = timing.heartbeatMs * (0.5 + Math.random() / 2)
        await pause(ms, undefined, { signal: closing.signal }).catch(() => undefined)
        if (!closing.signal.aborted) contact = makeContact()
      }
    }
  }

  /** The driver's own look at the server can hang for ever once its connections broke: then all of it begins anew. */
  async function keepRenewing(): Promise<void> {
    while (!closing.signal.aborted) {
      await pause(timing.heartbeatMs, undefined, { signal: closing.signal }).catch(() => undefined)
      if (closing.signal.aborted) return
      if (!prepared || lostSince === null || performance.now() - renewedAt < renewMs) continue
      if (performance.now() - lostSince < renewMs) continue
      renewedAt = performance.now()
      await closeClient(client)
      if (!closing.signal.aborted) await within(contactMs, client.connect()).catch(() => undefined)
    }
  }

  let contact = makeContact()
  const trying = Promise.all([keepTrying(), keepRenewing()])

  /** Why it is no use to wait, or null. */
  function hopeless(): string | null {
    if (closing.signal.aborted) return 'it is closed'
    if (!prepared) return tried ? failure : null
    return lostSince !== null && performance.now() - lostSince > timing.graceMs ? failure : null
  }

  return {
    async run(what, work) {
      const reason = hopeless()
      if (reason !== null) throw new StoreUnavailable(`${what} on ${address}: ${reason}`)
      try {
        const value = await within(timing.callMs, prepared ? work() : contact.then(work))
        failedAt = Number.NEGATIVE_INFINITY
        return value
      } catch (error) {
        const translated = readStoreError(what, address, error)
        if (translated instanceof StoreUnavailable) failedAt = performance.now()
        throw translated
      }
    },

    isDown: () =>
      hopeless() !== null ||
      (prepared && lostSince !== null) ||
      performance.now() - failedAt < failureCountsMs,

    async close() {
      closing.abort()
      await closeClient(client)
      await trying
      // A first contact that was being made meanwhile may have left something open.
      await closeClient(client)
    },
  }
}

/** To be dropped with a driver that does not wait for ever after writing to a socket that is broken: 7.9 does. */
async function closeClient(client: MongoClient): Promise<void> {
  const { topology } = client as unknown as { topology?: { close(): void } }
  await within(closeMs, client.close()).catch(() => topology?.close())
}
