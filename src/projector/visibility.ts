import type { JsonObject, Revision } from '../event-store/event-store.ts'
import type { ReadStore } from '../read-store/read-store.ts'
import type { Applied } from './applied.ts'
import { type GenerationsInUse, type OpenGeneration, watchGenerations } from './generation-watch.ts'
import type { Projection } from './projection.ts'

export type Visibility = {
  /**
   * Waits until every generation that a reader may still use holds this revision of a document, at most
   * `timeoutMs`. False if they do not by then, and at once if the read store is known to be down or the document's
   * stream is parked. Never throws.
   */
  waitUntilVisible(key: string, stream: string, revision: Revision, timeoutMs: number): Promise<boolean>
}

type Waiter = { key: string; stream: string; revision: Revision; settle(visible: boolean): void }

const askEveryMs = 4
/** After a failure the store counts as down for so long, then the next who waits tries it. */
const downMs = 500
/** A store that owes an answer for so long counts as down until it gives one. */
const stuckMs = 250

/** Lets writers wait for their writes to be shown. `applied` wakes them if the projector is in this process. */
export function createVisibility<Document extends JsonObject>(options: {
  readStore: ReadStore
  projection: Projection<Document>
  logId: string
  applied?: Applied
  /** How old what is known of the generations may be. */
  refreshMs?: number
}): Visibility {
  const { readStore, projection, logId, applied } = options
  const watch = watchGenerations(readStore, projection, options.refreshMs)
  const waiters = new Set<Waiter>()
  let awaited: readonly OpenGeneration<Document>[] | null = null
  let asking = false
  let downUntil = 0
  const unanswered = new Set<{ since: number }>()

  applied?.listen({
    written(_follower, key) {
      for (const waiter of waiters) if (waiter.key === key) settleIfAppliedHere(waiter)
    },
    parked(_follower, stream) {
      for (const waiter of waiters) if (waiter.stream === stream) waiter.settle(false)
    },
  })

  function settleIfAppliedHere({ key, revision, settle }: Waiter): void {
    const isApplied = ({ follower }: OpenGeneration<Document>) =>
      (applied?.lately(follower, key) ?? -1n) >= revision
    if (awaited?.every(isApplied)) settle(true)
  }

  function isKnownToBeDown(): boolean {
    const now = performance.now()
    const [oldest] = unanswered
    return readStore.isDown() || now < downUntil || (oldest !== undefined && now - oldest.since > stuckMs)
  }

  function settleAll(visible: boolean): void {
    for (const waiter of [...waiters]) waiter.settle(visible)
  }

  /** Asks the store; null if it failed. Then nobody waits any longer. */
  async function ask<T>(question: () => Promise<T>): Promise<T | null> {
    const asked = { since: performance.now() }
    unanswered.add(asked)
    try {
      return await question()
    } catch {
      // Whatever it is, the write is durable: the answer to the client just says that it may not show yet.
      downUntil = performance.now() + downMs
      settleAll(false)
      return null
    } finally {
      unanswered.delete(asked)
    }
  }

  async function look(): Promise<void> {
    const inUse = await ask(() => watch.look())
    awaited = inUse && toAwait(inUse, projection.version, logId)
    if (inUse && !awaited) settleAll(false)
  }

  async function askForAll(): Promise<void> {
    await look()
    if (!awaited) return
    const asked = [...waiters]
    const missing = new Set<Waiter>()
    for (const { documents } of awaited) {
      const standings = await ask(() => documents.standings(asked))
      for (const [at, waiter] of asked.entries()) {
        const { revision, parked } = standings?.[at] ?? { revision: null, parked: false }
        if (revision !== null && revision >= waiter.revision) continue
        if (parked) waiter.settle(false)
        missing.add(waiter)
      }
    }
    for (const waiter of asked) if (!missing.has(waiter)) waiter.settle(true)
  }

  async function keepAsking(): Promise<void> {
    if (asking) return
    asking = true
    while (waiters.size > 0) {
      await new Promise(resolve => setTimeout(resolve, askEveryMs))
      if (waiters.size > 0) await askForAll()
    }
    asking = false
  }

  return {
    waitUntilVisible: (key, stream, revision, timeoutMs) =>
      new Promise(resolve => {
        if (isKnownToBeDown()) return resolve(false)
        const timer = setTimeout(() => waiter.settle(false), timeoutMs)
        const waiter: Waiter = {
          key,
          stream,
          revision,
          settle(visible) {
            clearTimeout(timer)
            waiters.delete(waiter)
            resolve(visible)
          },
        }
        waiters.add(waiter)
        void look().then(() => {
          if (!waiters.has(waiter)) return
          settleIfAppliedHere(waiter)
          if (waiters.has(waiter)) void keepAsking()
        })
      }),
  }
}

/** The generations to wait for, null if waiting is in vain: nothing is read yet, or nobody feeds what is read. */
function toAwait<Document extends JsonObject>(
  { live, joining, previous }: GenerationsInUse<Document>,
  version: number,
  logId: string,
): OpenGeneration<Document>[] | null {
  if (!live || live.generation.logId !== logId) return null
  if (live.generation.version !== version && !live.isFed) return null
  return [live, joining, previous?.isFed ? previous : null].filter(each => each !== null)
}
