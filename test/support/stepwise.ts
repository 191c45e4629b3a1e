import type { EventStore } from '../../src/event-store/event-store.ts'

type Waiting = { owner: number; pauseMs: number; go: () => void }

/**
 * Lets several processes work on one store a step at a time, in an order that the test chooses, and lets a process
 * die between any two steps. A step is one call of the store, or one pause; the clock moves by pauses alone.
 */
export function stepwise(store: EventStore) {
  const waiting: Waiting[] = []
  const steps = new Map<number, number>()
  let clock = 0
  let busy = 0

  function wait(owner: number, pauseMs: number): Promise<void> {
    busy -= 1
    return new Promise(resolve => {
      waiting.push({ owner, pauseMs, go: resolve })
    })
  }

  return {
    /** The store as process `owner` sees it: every call waits for its turn. */
    storeOf(owner: number): EventStore {
      const inTurn =
        <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
        async (...args: Args): Promise<T> => {
          await wait(owner, 0)
          return call(...args)
        }
      return {
        append: inTurn(store.append.bind(store)),
        readStream: inTurn(store.readStream.bind(store)),
        truncate: inTurn(store.truncate.bind(store)),
        purge: inTurn(store.purge.bind(store)),
        head: inTurn(store.head.bind(store)),
        readAll: store.readAll.bind(store),
        subscribe: store.subscribe.bind(store),
        close: store.close.bind(store),
      }
    },

    timeOf(owner: number) {
      return { monotonicNow: () => clock, pause: (milliseconds: number) => wait(owner, milliseconds) }
    },

    /**
     * Runs each process until it ended or died: `choose` says which of those that wait for their turn goes on (an index
     * into `owners`), and a process dies instead of taking step number `diesAfter[owner]`.
     */
    async run<T>(
      processes: (() => Promise<T>)[],
      choose: (owners: readonly number[]) => number,
      diesAfter: readonly (number | null)[],
    ): Promise<(PromiseSettledResult<T> | 'died')[]> {
      const results: (PromiseSettledResult<T> | 'died')[] = processes.map(() => 'died')
      busy = processes.length
      for (const [owner, start] of processes.entries()) {
        start().then(
          value => {
            results[owner] = { status: 'fulfilled', value }
            busy -= 1
          },
          reason => {
            results[owner] = { status: 'rejected', reason }
            busy -= 1
          },
        )
      }
      for (;;) {
        while (busy > 0) await new Promise(resolve => setImmediate(resolve))
        const owners = waiting.map(({ owner }) => owner)
        const next = waiting.splice(choose(owners), 1)[0]
        if (!next) return results
        const taken = steps.get(next.owner) ?? 0
        const limit = diesAfter[next.owner] ?? null
        if (limit !== null && taken >= limit) continue
        steps.set(next.owner, taken + 1)
        clock += next.pauseMs
        busy += 1
        next.go()
      }
    },
  }
}
