/** How long values have been seen unchanged, by this process's own monotonic clock. */
export type Stillness = {
  /** Notes the value of today, and tells for how many milliseconds it has been seen like that. */
  see(what: string, value: string): number
  forget(what: string): void
}

export function createStillness(now: () => number = () => performance.now()): Stillness {
  const seen = new Map<string, { value: string; since: number }>()
  return {
    see(what, value) {
      const before = seen.get(what)
      if (before?.value === value) return now() - before.since
      seen.set(what, { value, since: now() })
      return 0
    },
    forget: what => void seen.delete(what),
  }
}
