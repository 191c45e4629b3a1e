import { randomInt } from 'node:crypto'
import { contest, type Doing, edit, logIn, refresh, register, resetPassword } from './operations.ts'

export type Load = {
  /** Many operations more, all at once: so that a kill right after cuts off some of each at any step. */
  surge(): void
  /** Lets what is under way come to its end; throws what went wrong in the load itself. */
  stop(): Promise<void>
}

const clients = 12
const surgeOperations = 100

/** In a hundred. */
const mix = [
  { weight: 25, operation: register },
  { weight: 5, operation: contest },
  { weight: 35, operation: edit },
  { weight: 10, operation: logIn },
  { weight: 15, operation: refresh },
  { weight: 10, operation: resetPassword },
]

/** A steady mixed load, until stopped. */
export function startLoad(doing: Omit<Doing, 'giveUp'>): Load {
  let stopping = false
  const running = Array.from({ length: clients }, async () => {
    while (!stopping) {
      const before = doing.ledger.counts.requests
      await choose()({ ...doing, giveUp: () => stopping })
      // There may be nobody yet to do it to.
      if (doing.ledger.counts.requests === before) await new Promise(resolve => setImmediate(resolve))
    }
  })
  const surging: Promise<void>[] = []
  return {
    surge() {
      for (let n = 0; n < surgeOperations; n++) surging.push(choose()({ ...doing, giveUp: () => stopping }))
    },

    async stop() {
      stopping = true
      await Promise.all([...running, ...surging])
    },
  }
}

function choose() {
  let dice = randomInt(100)
  for (const { weight, operation } of mix) {
    if (dice < weight) return operation
    dice -= weight
  }
  return register
}
