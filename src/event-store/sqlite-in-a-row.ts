/** Does work for whoever asks, and answers with what it returned or threw. */
export type InARow = {
  <T>(work: () => T | Promise<T>): Promise<T>
  /** Does at once all that is waiting. */
  flush(): void
}

/** After so many others get the event loop: the answers to these are written, and timers run. */
const mostInARow = 64

/**
 * Does in a row what is asked for in one turn of the event loop, at the end of that turn. The look-ups of sixteen requests
 * one after the other take a third of what they take with the rest of each request in between, which empties a core's
 * caches of SQLite; and what the requests do after it is then done in a row as well.
 */
export function createInARow(): InARow {
  let waiting: (() => void)[] = []
  let scheduled = false

  function schedule(): void {
    if (scheduled || waiting.length === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      run(mostInARow)
      schedule()
    })
  }

  function run(most: number): void {
    const some = waiting.slice(0, most)
    waiting = waiting.slice(most)
    for (const each of some) each()
  }

  function inARow<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
      schedule()
    })
  }

  return Object.assign(inARow, { flush: () => run(waiting.length) })
}
