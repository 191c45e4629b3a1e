import { Overloaded } from './domain-error.ts'

/** Runs work in the order of its arrival, so much of it at once and no more. */
export type HashQueue = {
  /**
   * Resolves as `work` does. Throws Overloaded, at once when the queue is full, or when `deadline`
   * (`performance.now()` milliseconds) has passed before its turn has come; the work is not begun then.
   */
  run<Result>(work: () => Promise<Result>, deadline?: number): Promise<Result>
  /** How many wait for their turn. */
  readonly waiting: number
  /** How many are at work. */
  readonly running: number
}

type Waiting = { begin(): void }

/** What is longer than this, 25 days, setTimeout takes for no time at all. */
const longestTimer = 2 ** 31 - 1

/** At most `concurrency` at work, and `queueLimit` waiting. */
export function createHashQueue(options: { concurrency: number; queueLimit: number }): HashQueue {
  const { concurrency, queueLimit } = options
  const queue = new Set<Waiting>()
  let running = 0

  async function turn(deadline: number): Promise<void> {
    if (performance.now() >= deadline) throw tooLate()
    if (running < concurrency) {
      running++
      return
    }
    if (queue.size >= queueLimit) {
      throw new Overloaded(`the hash queue takes ${queueLimit}, and ${queue.size} wait`)
    }
    await new Promise<void>((resolve, reject) => {
      const milliseconds = deadline - performance.now()
      const timer = milliseconds <= longestTimer ? setTimeout(giveUp, milliseconds) : undefined
      const waiting = { begin }
      queue.add(waiting)

      function giveUp() {
        queue.delete(waiting)
        reject(tooLate())
      }
      function begin() {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Hands the place of finished work to whoever has waited longest. */
  function finish(): void {
    const [next] = queue
    if (!next) {
      running--
      return
    }
    queue.delete(next)
    next.begin()
  }

  return {
    async run(work, deadline = Number.POSITIVE_INFINITY) {
      await turn(deadline)
      try {
        if (performance.now() >= deadline) throw tooLate()
        return await work()
      } finally {
        finish()
      }
    },
    get waiting() {
      return queue.size
    },
    get running() {
      return running
    },
  }
}

function tooLate(): Overloaded {
  return new Overloaded('the deadline passed before the turn to hash came')
}
