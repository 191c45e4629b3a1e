import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { editWhatWasSeen } from './conditional-edits.ts'
import { changeAddress, changePassword } from './credentials.ts'
import type { Doing } from './members.ts'
import { contest, edit, erase, logIn, refresh, register, resetPassword } from './operations.ts'
import { operate } from './operators.ts'
import { endSessions } from './sessions.ts'

export type Load = {
  /** Many operations more, all at once: so that a kill right after cuts off some of each at any step. */
  surge(): void
  /** Lets what is under way come to its end; throws what went wrong in the load itself. */
  stop(): Promise<void>
}

/**
 * `pauseMs`: how long each client waits after each operation, about. `movesLog`: whether anything is done for which the
 * write-ahead log is moved to the file, as by an erasure, or by a tool that is the last to close it.
 */
export type LoadOptions = { clients?: number; pauseMs?: number; movesLog?: boolean }

const surgeOperations = 100

/** In a hundred. */
const mix = [
  { weight: 23, operation: register },
  { weight: 5, operation: contest },
  { weight: 25, operation: edit },
  { weight: 4, operation: editWhatWasSeen },
  { weight: 3, operation: erase },
  { weight: 10, operation: logIn },
  { weight: 12, operation: refresh },
  { weight: 7, operation: resetPassword },
  { weight: 4, operation: changePassword },
  { weight: 2, operation: changeAddress },
  { weight: 4, operation: endSessions },
  { weight: 1, operation: operate },
]
const movingLog: readonly unknown[] = [erase, operate]

/** A steady mixed load, until stopped. */
export function startLoad(
  doing: Omit<Doing, 'giveUp'>,
  { clients = 12, pauseMs = 0, movesLog = true }: LoadOptions = {},
): Load {
  let stopping = false
  const choose = () => {
    const chosen = chooseAny()
    return !movesLog && movingLog.includes(chosen) ? edit : chosen
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
