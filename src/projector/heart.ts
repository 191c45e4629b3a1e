import type { ProjectorLog } from './parking.ts'

/** Does something again and again, never twice at once. */
export type Heart = {
  /** Resolves after a beat that has begun after now. Never rejects. */
  beatNow(): Promise<void>
  /** No beat is under way once this has resolved, and none follows. */
  stop(): Promise<void>
}

/** Beats `everyMs` after the end of the beat before; failures are logged when they begin, and their end too. */
export function startHeart(everyMs: number, log: ProjectorLog, beat: () => Promise<void>): Heart {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let failing = false
  let last: Promise<void> = Promise.resolve()

  async function once(): Promise<void> {
    if (stopped) return
    clearTimeout(timer)
    try {
      await beat()
      if (failing) log.info({}, 'the followers are looked after again')
      failing = false
    } catch (error) {
      if (!failing && !stopped) log.warn({ err: error }, 'the followers cannot be looked after')
      failing = true
    }
    if (!stopped) timer = setTimeout(beatNow, everyMs)
  }

  function beatNow(): Promise<void> {
    last = last.then(once)
    return last
  }

  return {
    beatNow,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await last
    },
  }
}
