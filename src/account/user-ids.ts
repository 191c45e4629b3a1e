import { type EventStore, RevisionConflict } from '../event-store/event-store.ts'
import type { Handler, Intent } from './handle.ts'
import { toRecorded } from './upcasters.ts'

const stream = 'ids-user'

/**
 * Hands out user ids, 1 and up, each once ever, from blocks claimed by optimistic appends to `ids-user`. A process
 * that stops leaves the rest of its block unused.
 */
export function createUserIds(options: { store: EventStore; handler: Handler; blockSize: number }) {
  let next = 0
  let end = 0
  let claiming: Promise<void> | null = null

  async function claimBlock(intent: Intent): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const [last] = await options.store.readStream(stream, {
        direction: 'backwards',
        limit: 1,
        deadline: intent.deadline,
      })
      const block = last && toRecorded(last)
      if (block && block.type !== 'IdBlockClaimed') {
        throw new Error(`expected IdBlockClaimed, ${stream} has ${block.type} at ${block.revision}`)
      }
      const first = block ? block.data.first + block.data.size : 1
      const event = { type: 'IdBlockClaimed' as const, data: { first, size: options.blockSize } }
      const attemptIntent = { ...intent, actor: 'system' as const, key: `${intent.key} block ${attempt}` }
      try {
        const { revision, metadata } = block ?? { revision: -1n, metadata: { time: '' } }
        await options.handler.appendAt(stream, event, revision, metadata.time, attemptIntent)
        next = first
        end = first + options.blockSize
        return
      } catch (error) {
        if (!(error instanceof RevisionConflict) || performance.now() > intent.deadline) throw error
      }
    }
  }

  /** The next unused id. Throws as appends do. */
  return async function nextUserId(intent: Intent): Promise<number> {
    while (next >= end) {
      claiming ??= claimBlock(intent).finally(() => {
        claiming = null
      })
      await claiming
    }
    return next++
  }
}
