import { Writable } from 'node:stream'
import { runRoster } from '../../src/tools/program.ts'

export type Run = { code: number; stdout: string; stderr: string }

/** Runs `roster <args>` in this process, on the stores in `environment`. */
export async function roster(
  environment: Record<string, string>,
  args: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Run> {
  const [stdout, stderr] = [collector(), collector()]
  const code = await runRoster(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment,
    signal,
    lowerPriority() {},
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

function collector() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
