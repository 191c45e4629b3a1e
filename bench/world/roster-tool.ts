import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bin/roster.cjs', import.meta.url))
const lookEveryMs = 50

/** `seconds` from start to end of the process; `peakMb` of 1024² bytes, the most that was resident. */
export type ToolRun = { seconds: number; peakMb: number }

export type RunningTool = { isRunning(): boolean; ended: Promise<ToolRun> }

/** Runs the built `roster <args>` as a user would. It ended well, or `ended` rejects with what it said. */
export function startTool(args: readonly string[], dataDir: string): RunningTool {
  const started = performance.now()
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, DATA_DIR: dataDir },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      said = (said + String(chunk)).slice(-2000)
    })
  }
  const killWithBench = () => child.kill('SIGKILL')
  process.once('exit', killWithBench)
  let peakMb = 0
  const looking = setInterval(async () => {
    peakMb = (await peakResidentMb(child.pid ?? 0)) ?? peakMb
  }, lookEveryMs)

  async function end(): Promise<ToolRun> {
    const [code] = await once(child, 'exit')
    clearInterval(looking)
    process.removeListener('exit', killWithBench)
    if (code !== 0) throw new Error(`expected roster ${args.join(' ')} to end with 0, found ${code}: ${said}`)
    return { seconds: (performance.now() - started) / 1000, peakMb }
  }

  return { isRunning: () => child.exitCode === null && child.signalCode === null, ended: end() }
}

/** Null once the process is gone. */
async function peakResidentMb(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
  return kib === undefined ? null : Number(kib) / 1024
}
