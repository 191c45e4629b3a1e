import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { contest, type Doing, edit, erase, logIn, refresh, register, resetPassword } from './operations.ts'

export type Load = {
  /** Many operations more, all at once: so that a kill right after cuts off some of each at any step. */
  surge(): void
  /** Lets what is under way come to its end; throws what went wrong in the load itself. */
  stop(): Promise<void>
}

/** `pauseMs`: how long each client waits after each operation, about. `erases`: whether some want to be forgotten. */
export type LoadOptions = { clients?: number; pauseMs?: number; erases?: boolean }

const surgeOperations = 100

/** In a hundred. */
const mix = [
  { weight: 25, operation: register },
  { weight: 5, operation: contest },
  { weight: 32, operation: edit },
  { weight: 3, operation: erase },
  { weight: 10, operation: logIn },
  { weight: 15, operation: refresh },
  { weight: 10, operation: resetPassword },
]

/** A steady mixed load, until stopped. */
export function startLoad(
  doing: Omit<Doing, 'giveUp'>,
  { clients = 12, pauseMs = 0, erases = true }: LoadOptions = {},
): Load {
  let stopping = false
  const choose = () => {
    const chosen = chooseAny()
    return chosen === erase && !erases ? edit : chosen
  }
  const running = Array.from({ length: clients }, async () => {
    while (!stopping) {
      const before = doing.ledger.counts.unanswered
      await choose()({ ...doing, giveUp: () => stopping })
      // Nobody asks on and on where nothing answers.
      const refused = doing.ledger.counts.unanswered > before
      await pause(Math.max(refused ? 50 : 0, randomInt(2 * pauseMs + 1)))
    }
  })
  // What goes wrong is thrown by `stop`.
  for (const each of running) each.catch(() => {})
  const surging: Promise<void>[] = []
  return {
    surge() {
      for (let n = 0; n < surgeOperations; n++) {
        const operation = choose()({ ...doing, giveUp: () => stopping })
        operation.catch(() => {})
        surging.push(operation)
      }
    },

    async stop() {
      stopping = true
      await Promise.all([...running, ...surging])
    },
  }
}

function chooseAny() {
  let dice = randomInt(100)
  for (const { weight, operation } of mix) {
    if (dice < weight) return operation
    dice -= weight
  }
  return register
}
