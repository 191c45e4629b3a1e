import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startArguments } from '../../test/support/start-command.ts'
import { pause } from '../measuring/comparison.ts'

const startsWithinSeconds = 30

export type RosterProcess = {
  url: string
  /** The resident memory of the process, in MB of 1024² bytes. */
  residentMb(): Promise<number>
  stop(): Promise<void>
}

/**
 * Runs the built program as a user would, with rate limits off and its log in `<dataDir>/roster.log`. `profileDir`:
 * where it leaves a CPU profile when it is stopped.
 */
export async function startRoster(options: {
  dataDir: string
  env: Record<string, string>
  profileDir: string | null
}): Promise<RosterProcess> {
  const { dataDir, env, profileDir } = options
  const port = await freePort()
  const logFile = join(dataDir, 'roster.log')
  const log = await open(logFile, 'a')
  const profiling = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const child = spawn(process.execPath, [...profiling, ...startArguments], {
    stdio: ['ignore', log.fd, log.fd],
    env: {
      PATH: process.env.PATH,
      DATA_DIR: dataDir,
      PORT: String(port),
      OPS_PORT: '0',
      RATE_LIMITS: 'off',
      ...env,
    },
  })
  const exited = once(child, 'exit')
  const killWithBench = () => child.kill('SIGKILL')
  process.once('exit', killWithBench)
  exited.then(() => process.removeListener('exit', killWithBench))
  await log.close()
  const url = `http://127.0.0.1:${port}`
  await untilHealthy(url, () => child.exitCode, logFile)
  return {
    url,
    residentMb: () => residentMb(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM')
      const [code] = await exited
      if (code !== 0) throw new Error(`expected Roster to end with 0, found ${code}; see ${logFile}`)
    },
  }
}

async function untilHealthy(url: string, exitCode: () => number | null, logFile: string): Promise<void> {
  const deadline = performance.now() + startsWithinSeconds * 1000
  for (;;) {
    const answer = await fetch(`${url}/healthz`).catch(() => null)
    if (answer?.ok) return
    if (exitCode() !== null || performance.now() > deadline) {
      const log = await readFile(logFile, 'utf8')
      throw new Error(`expected Roster to start within ${startsWithinSeconds} s, found: ${log.slice(-2000)}`)
    }
    await pause(0.1)
  }
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
  if (kib === undefined) throw new Error(`expected VmRSS in /proc/${pid}/status, found ${status}`)
  return Number(kib) / 1024
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('expected an IP address')
  return address.port
}
