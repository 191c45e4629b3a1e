/** What can go wrong. Appends count one by one, reads by the call, subscriptions by the message. */
export type Operation = 'append' | 'read' | 'subscription' | 'features' | 'gossip'

/**
 * - `unavailable`, `not-leader`, `access-denied`: the call ends with that status.
 * - `not-ready`: an append is refused with the answer of a node that is starting; else as `unavailable`.
 * - `end`: the call ends with OK, answers missing.
 * - `send-then-end`: a message of a subscription is sent, and then it ends with OK.
 * - `drop`: the connection is cut.
 * - `hang`: nothing is heard of the call any more.
 * - `ignore`: this append is not done and not answered; others on its call are.
 * - `lose`: an append is done and not answered.
 * - `lose-then-drop`: an append is done, and the connection cut before the answer.
 * - `timeout`: an append is done, and the answer is that it timed out.
 * - `{ delayMs }`: it comes late.
 */
export type Fault =
  | 'unavailable'
  | 'not-leader'
  | 'access-denied'
  | 'not-ready'
  | 'end'
  | 'send-then-end'
  | 'drop'
  | 'hang'
  | 'ignore'
  | 'lose'
  | 'lose-then-drop'
  | 'timeout'
  | { delayMs: number }

export type Occasion = {
  /** How often; once if not given. */
  times?: number
  /** At each so manieth of them. */
  every?: number
}

export type Faults = ReturnType<typeof createFaults>

export function createFaults() {
  const orders = new Set<{ on: Operation; fault: Fault; left: number; every: number; seen: number }>()
  return {
    /** Orders a fault. Returns how to take the order back. */
    order(on: Operation, fault: Fault, { times = 1, every = 1 }: Occasion = {}): () => void {
      const order = { on, fault, left: times, every, seen: 0 }
      orders.add(order)
      return () => void orders.delete(order)
    },
    /** The fault to commit now, if any. */
    next(on: Operation): Fault | undefined {
      for (const order of orders) {
        if (order.on !== on || ++order.seen % order.every !== 0) continue
        if (--order.left <= 0) orders.delete(order)
        return order.fault
      }
      return undefined
    },
    /** How many faults are still to come. */
    left: (on: Operation): number =>
      [...orders].reduce((sum, order) => (order.on === on ? sum + order.left : sum), 0),
    /** Takes all orders back, or those on one operation. */
    clear(on?: Operation): void {
      for (const order of orders) if (on === undefined || order.on === on) orders.delete(order)
    },
  }
}
