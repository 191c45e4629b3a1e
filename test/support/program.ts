import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { startArguments } from './start-command.ts'

const startWithinMs = 15_000

export type Program = {
  pid: number
  /** By what listens: `api`, `ops`. */
  urls: Map<string, string>
  /** What it logged so far, a line each. */
  log: string[]
  kill(signal: NodeJS.Signals): void
  /** How it ended: its exit code (null if killed) and all that it wrote to stderr. */
  ended: Promise<{ code: number | null; stderr: string }>
}

/**
 * Starts the built program as `npm start` does, with these variables, on ports of its own choice. Resolves when all
 * of `listens` do, or when it ended before.
 */
export async function startProgram(
  variables: Record<string, string>,
  listens: readonly string[] = ['api', 'ops'],
): Promise<Program> {
  const cheapHashes = { ARGON2_MEMORY_KIB: '1024', ARGON2_TIME_COST: '1' }
  const child = spawn(process.execPath, [...startArguments], {
    env: { PATH: process.env.PATH, PORT: '0', OPS_PORT: '0', ...cheapHashes, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log: string[] = []
  const urls = new Map<string, string>()
  const listening = new Promise<void>(resolve => {
    onLine(child.stdout, line => {
      log.push(line)
      const entry: { msg?: unknown; url?: unknown } = JSON.parse(line)
      const name =
        typeof entry.msg === 'string' ? / listens$/.test(entry.msg) && entry.msg.split(' ')[0] : null
      if (name && typeof entry.url === 'string') urls.set(name, entry.url)
      if (listens.every(wanted => urls.has(wanted))) resolve()
    })
  })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stderr }))
  const tooLate = setTimeout(() => child.kill('SIGKILL'), startWithinMs)
  await Promise.race([listening, ended])
  clearTimeout(tooLate)
  return { pid: child.pid ?? 0, urls, log, kill: signal => child.kill(signal), ended }
}

function onLine(stream: ChildProcess['stdout'], take: (line: string) => void): void {
  let rest = ''
  stream?.on('data', chunk => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}
