import { close, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { type Position, StoreUnavailable } from './event-store.ts'
import { whileBusy } from './sqlite-failures.ts'

/** What of a log in SQLite is known to be on disk, and not only in its write-ahead log as the kernel holds it. */
export type Durability = {
  /**
   * Every event up to here is on disk. What another process has committed behind it is brought there if need be; then
   * `news` is told.
   */
  head(news: () => void): Position
  /** Resolves once all that is committed now is on disk. Throws StoreUnavailable if that fails, from then on always. */
  sync(): Promise<void>
  /** Whether something is committed that may not be on disk. */
  isBehind(): boolean
  /** Throws what a `sync` has thrown: what the kernel then has of the file is anybody's guess. */
  requireIntact(): void
  close(): Promise<void>
}

const closeFile = promisify(close)

/**
 * Lets SQLite commit without waiting for the disk (`synchronous=NORMAL`), and brings its write-ahead log there on the
 * thread pool: what a commit with `synchronous=FULL` does, while the event loop goes on.
 */
export async function openDurability(
  file: string,
  deadline: number,
  committedHead: () => Position,
  syncFile: (descriptor: number) => Promise<void> = promisify(fdatasync),
): Promise<Durability> {
  let durable = await whileBusy(file, deadline, committedHead)
  // The log was read just now, so it is there, and it stays the same file as long as a connection is open.
  const descriptor = openSync(`${file}-wal`, 'r+')
  const underWay = new Set<Promise<void>>()
  let failure: StoreUnavailable | null = null

  function requireIntact(): void {
    if (failure) throw failure
  }

  const isBehind = () => committedHead() > durable

  async function sync(): Promise<void> {
    requireIntact()
    const committed = committedHead()
    const syncing = syncFile(descriptor)
    underWay.add(syncing)
    try {
      await syncing
      if (committed > durable) durable = committed
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      failure ??= new StoreUnavailable(
        `${file} could not be brought to the disk (${reason}): mend the disk and start again`,
        { cause: error },
      )
      throw failure
    } finally {
      underWay.delete(syncing)
    }
  }

  let closing: Promise<void> | null = null
  const closeOnce = async () => {
    await Promise.allSettled(underWay)
    await closeFile(descriptor)
  }

  // Whoever wrote before may have been killed before this.
  await sync().catch(async error => {
    await closeOnce()
    throw error
  })
  return {
    head(news) {
      if (underWay.size === 0 && !failure && isBehind()) sync().then(news, news)
      return durable
    },
    sync,
    isBehind,
    requireIntact,
    close: () => (closing ??= closeOnce()),
  }
}
