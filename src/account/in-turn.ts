import { Overloaded } from './domain-error.ts'

export type InTurn = ReturnType<typeof createInTurn>

/** Does one work at a time of those that ask for the same turn, in the order in which they ask; others at once. */
export function createInTurn() {
  const queues = new Map<string, Promise<unknown>>()

  /** Throws what `work` throws, and Overloaded if its turn comes after the deadline (`performance.now()` ms). */
  return async function inTurn<T>(turn: string, deadline: number, work: () => Promise<T>): Promise<T> {
    const before = queues.get(turn)
    const mine = (async () => {
      await before?.catch(() => {})
      if (performance.now() > deadline) throw new Overloaded(`waited for ${turn} until the deadline`)
      return work()
    })()
    queues.set(turn, mine)
    try {
      return await mine
    } finally {
      if (queues.get(turn) === mine) queues.delete(turn)
    }
  }
}
