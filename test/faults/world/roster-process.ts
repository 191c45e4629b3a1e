import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startArguments } from '../../support/start-command.ts'

export type RosterProcess = {
  pid: number
  /** Where role `api` answers. */
  url: string
  /** Where `/metrics` is. */
  opsUrl: string
  isAlive(): boolean
  /** Resolves once `/healthz` answers; throws if the process ends first or 90 s pass. */
  healthy(): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** What it has written so far. */
  output(): string
  /** Whether it was healthy and then ended though nobody ended it. */
  hasCrashed(): boolean
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code, null if it had to be killed after 20 s. */
  stop(): Promise<number | null>
}

const startWithinMs = 90_000
const stopWithinMs = 20_000
const collectOnSignal = join(import.meta.dirname, 'collect-on-signal.cjs')
const children = new Set<ChildProcess>()
const givenPorts = new Set<number>()

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Starts the built program with these variables and no others; its output goes to the end of `logFile`. */
export async function startRosterProcess(
  variables: Record<string, string>,
  logFile: string,
): Promise<RosterProcess> {
  const [port, opsPort] = [await freePort(), await freePort()]
  const healthPort = variables.ROLES?.includes('api') ? port : opsPort
  const output = openSync(logFile, 'a')
  const outputFrom = fstatSync(output).size
  const child = spawn(process.execPath, ['--require', collectOnSignal, ...startArguments], {
    env: { PATH: process.env.PATH, PORT: String(port), OPS_PORT: String(opsPort), ...variables },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  children.add(child)
  const exited = once(child, 'exit').then(() => children.delete(child))
  const isAlive = () => child.exitCode === null && child.signalCode === null
  let wasHealthy = false
  let isEnded = false
  const written = () => readFileSync(logFile).subarray(outputFrom).toString()

  function end(signal: 'SIGKILL' | 'SIGTERM'): void {
    isEnded ||= isAlive()
    child.kill(signal)
  }

  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    opsUrl: `http://127.0.0.1:${opsPort}`,
    isAlive,

    async healthy() {
      const end = performance.now() + startWithinMs
      for (;;) {
        if (!isAlive())
          throw new Error(
            `expected Roster to start, it ended with ${child.exitCode}:\n${lastLines(written())}`,
          )
        const answer = await fetch(`http://127.0.0.1:${healthPort}/healthz`).catch(() => null)
        await answer?.arrayBuffer()
        if (answer?.ok) {
          wasHealthy = true
          return
        }
        if (performance.now() > end)
          throw new Error(`expected an answer within ${startWithinMs} ms:\n${lastLines(written())}`)
        await pause(10)
      }
    },

    signal: signal => void child.kill(signal),
    output: written,
    hasCrashed: () => wasHealthy && !isEnded && !isAlive(),

    async kill() {
      end('SIGKILL')
      await exited
    },

    async stop() {
      end('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
      await exited
      clearTimeout(timer)
      return child.exitCode
    },
  }
}

const lastLines = (text: string) => text.split('\n').slice(-20).join('\n')

/** Below those that connections are given, one of which might have it by the time that the process listens. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000)
    if (givenPorts.has(port)) continue
    givenPorts.add(port)
    const server = createServer()
    const isFree = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
