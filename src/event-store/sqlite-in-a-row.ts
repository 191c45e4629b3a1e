/** Does work for whoever asks, and answers with what it returned or threw. */
export type InARow = {
  <T>(work: () => T | Promise<T>): Promise<T>
  /** Does at once what is waiting. */
  flush(): void
}

/**
 * Does in a row what is asked for in one turn of the event loop, at the end of that turn. The look-ups of sixteen requests
 * one after the other take a third of what they take with the rest of each request in between, which empties a core's
 * caches of SQLite; and what the requests do after it is then done in a row as well.
 */
export function createInARow(): InARow {
  let waiting: (() => void)[] = []

  function flush(): void {
    const all = waiting
    waiting = []
    for (const run of all) run()
  }

  function inARow<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      }
      if (waiting.push(run) === 1) setImmediate(flush)
    })
  }

  return Object.assign(inARow, { flush })
}
