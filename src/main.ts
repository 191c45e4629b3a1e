import pino from 'pino'
import { InvalidConfig, readConfig } from './config.ts'
import { startRoster } from './roster.ts'

const stopWithinMs = 10_000

/** One clear line on stderr, and the exit code 1. */
function giveUp(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`roster: ${message.replaceAll('\n', ' ')}\n`)
  process.exit(1)
}

async function main(): Promise<void> {
  const config = readConfig(process.env)
  // Written in batches: a write for each line would cost a request an eighth of its time.
  const destination = pino.destination({ dest: 1, sync: false, minLength: 8192, periodicFlush: 100 })
  process.on('exit', () => destination.flushSync())
  const log = pino({ level: config.logLevel, base: null }, destination)
  const roster = await startRoster(config, log)
  for (const { name, url } of roster.listening) log.info({ url }, `${name} listens`)

  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    roster.stop(stopWithinMs).then(
      () => {
        process.exit(0)
      },
      error => {
        log.error({ err: error }, 'could not stop cleanly')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

main().catch((error: unknown) => {
  giveUp(error instanceof InvalidConfig ? new Error(`the environment is wrong: ${error.message}`) : error)
})
