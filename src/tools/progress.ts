import { SingleBar } from 'cli-progress'
import type { Terminal } from './shell.ts'

export type Progress = {
  /** `done` of the total, at which `count` things are done. */
  update(done: number, count: number): void
  stop(): void
}

/** Runs `use` with a bar that is gone afterwards, whatever happened: left alone, it keeps the process from ending. */
export async function withProgress<T>(
  terminal: Pick<Terminal, 'stderr'>,
  title: string,
  total: number,
  things: string,
  use: (bar: Progress) => Promise<T>,
): Promise<T> {
  const bar = showProgress(terminal, title, total, things)
  try {
    return await use(bar)
  } finally {
    bar.stop()
  }
}

/**
 * A bar on stderr with the rate and an estimate of the time left, if stderr is a terminal. `total` is in any unit;
 * `things` are what the rate counts. Whoever shows it has to stop it.
 */
export function showProgress(
  terminal: Pick<Terminal, 'stderr'>,
  title: string,
  total: number,
  things: string,
): Progress {
  if (!terminal.stderr.isTTY) return { update() {}, stop() {} }
  const begun = performance.now()
  const bar = new SingleBar({
    stream: terminal.stderr,
    format: `${title} [{bar}] {percentage}% | {count} ${things} | {rate}/s | {eta_formatted} left`,
    barsize: 24,
    etaBuffer: 100,
    hideCursor: true,
    // The shell has its own way to stop: the bar must not end the process.
    gracefulExit: false,
  })
  bar.start(Math.max(total, 1), 0, { count: '0', rate: '-' })
  return {
    update(done, count) {
      const rate = Math.round(count / ((performance.now() - begun) / 1000))
      bar.update(Math.min(done, total), {
        count: count.toLocaleString('en'),
        rate: rate.toLocaleString('en'),
      })
    },
    stop: () => bar.stop(),
  }
}
