/** Something that is waited for until `due` (`performance.now()` ms), which may be put off meanwhile. */
export type Waiting = { due: number; giveUp(): void }

export type Watchdog<W extends Waiting> = {
  add(waiting: W): void
  /** Returns whether it was still waited for. */
  remove(waiting: W): boolean
  all(): Iterable<W>
}

/** Gives up what is overdue. One timer for all, because one for each append costs as much as the rest of it. */
export function watchdog<W extends Waiting>(): Watchdog<W> {
  const waiting = new Set<W>()
  let timer: NodeJS.Timeout | undefined
  let wakesAt = Number.POSITIVE_INFINITY

  function wakeAt(time: number): void {
    clearTimeout(timer)
    wakesAt = time
    timer = setTimeout(look, Math.max(1, Math.ceil(time - performance.now())))
  }

  function look(): void {
    const now = performance.now()
    wakesAt = Number.POSITIVE_INFINITY
    for (const each of waiting) if (each.due <= now) each.giveUp()
    let next = Number.POSITIVE_INFINITY
    for (const { due } of waiting) next = Math.min(next, due)
    if (next < wakesAt) wakeAt(next)
  }

  return {
    add(each) {
      waiting.add(each)
      if (each.due < wakesAt) wakeAt(each.due)
      else timer?.ref()
    },
    remove(each) {
      const wasWaiting = waiting.delete(each)
      if (waiting.size === 0) timer?.unref()
      return wasWaiting
    },
    all: () => waiting,
  }
}
