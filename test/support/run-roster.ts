import { join } from 'node:path'
import { Writable } from 'node:stream'
import { runRoster } from '../../src/tools/program.ts'
import { createShell, type Shell } from '../../src/tools/shell.ts'

/** The built command, for those who need it in a process of its own. */
export const rosterProgram = join(import.meta.dirname, '../../bin/roster.cjs')

export type Run = { code: number; stdout: string; stderr: string }

/** Runs `roster <args>` in this process, on the stores in `environment`. `told` hears stdout as it comes. */
export async function roster(
  environment: Record<string, string>,
  args: readonly string[],
  signal: AbortSignal = new AbortController().signal,
  told: (text: string) => void = () => {},
): Promise<Run> {
  const [stdout, stderr] = [collector(told), collector()]
  const code = await runRoster(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment,
    signal,
    lowerPriority() {},
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** What a tool is made with, for tests of its parts: says nothing, and is told nothing. */
export function aShell(signal: AbortSignal = new AbortController().signal): Shell {
  const { stream } = collector()
  return createShell(
    { stdout: stream, stderr: stream, environment: {}, signal, lowerPriority() {} },
    () => {},
  )
}

/** Like `roster`, with a stderr that says it is a terminal. */
export async function rosterOnTerminal(
  environment: Record<string, string>,
  args: readonly string[],
  stop: AbortController = new AbortController(),
  toldOnStderr: (text: string) => void = () => {},
): Promise<Run> {
  const [stdout, stderr] = [collector(), collector(toldOnStderr)]
  const code = await runRoster(args, {
    stdout: stdout.stream,
    stderr: Object.assign(stderr.stream, { isTTY: true, columns: 100 }),
    environment,
    signal: stop.signal,
    lowerPriority() {},
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

function collector(told: (text: string) => void = () => {}) {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      told(chunk.toString())
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
