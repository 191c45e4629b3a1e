import { lowerPriority } from './tools/lower-priority.ts'
import { runRoster } from './tools/program.ts'
import { exitCodes } from './tools/shell.ts'

const stop = new AbortController()

/** The first Ctrl-C lets the tool finish the step it is at; a second one does not. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(exitCodes.stopped)
  stop.abort()
}

process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
// Without this, a reader that goes away would end the process with an error before the tool hears of it.
process.stdout.on('error', () => {})

process.exitCode = await runRoster(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signal: stop.signal,
  lowerPriority,
})
