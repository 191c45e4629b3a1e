import type { Writable } from 'node:stream'
import type { Command } from 'commander'
import { type Config, readConfig } from '../config.ts'
import type { Json } from '../event-store/event-store.ts'
import { spelledOut } from './spelled-out.ts'

export const exitCodes = {
  good: 0,
  /** Something is not as it should be: what was looked for was found, or what was asked for could not be done. */
  difference: 1,
  wrongUse: 2,
  unreachable: 3,
  /** It failed in a way that nobody foresaw: a full disk, a fault of its own. */
  failed: 70,
  /** At Ctrl-C, as shells have it. */
  stopped: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What a tool says when it ends otherwise than well, and its exit code. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
  readonly exitCode: ExitCode
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** The tool stopped because it was told to; the message says what is done and how to go on. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** Where a tool is run: what the process has, so that tests can run tools within theirs. */
export type Terminal = {
  stdout: Writable
  stderr: Writable & { isTTY?: boolean; columns?: number }
  environment: Record<string, string | undefined>
  /** Aborts at Ctrl-C. */
  signal: AbortSignal
  /** Lets other processes of the machine go first. */
  lowerPriority(): void
}

/** What the subcommands are made with. */
export type Shell = Terminal & {
  config(): Config
  /** Ends the tool with a code other than 0, after what it has to say. */
  exit(code: ExitCode): void
  /** Writes to stdout, and waits while that is full. */
  print(text: string | Buffer): Promise<void>
  /** Tells a person something, on stderr. */
  note(text: string): void
}

export function createShell(terminal: Terminal, exit: (code: ExitCode) => void): Shell {
  return {
    ...terminal,
    config: () => readConfig(terminal.environment),
    exit,
    print: text => written(terminal.stdout, text),
    note: text => void terminal.stderr.write(`${text}\n`),
  }
}

/** Every subcommand has `--json`, and an example in its help. */
export function describeTool(command: Command, summary: string, example: string): Command {
  const lines = example.split('\n').map(line => `  ${line}`)
  return command
    .description(summary)
    .option('--json', 'for machines: JSON on stdout, everything else on stderr')
    .addHelpText('after', `\nExample:\n${lines.join('\n')}`)
}

/** The result as JSON or in words. */
export async function answer(shell: Shell, asJson: boolean | undefined, result: Json, words: string) {
  await shell.print(asJson ? `${spelledOut(result)}\n` : `${words}\n`)
}

/** Resolves when the stream has taken the text. Throws what the stream does, and Stopped once nobody reads it. */
export function written(stream: Writable, text: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, error => {
      if (!error) resolve()
      else if ('code' in error && error.code === 'EPIPE')
        reject(new Stopped('nobody reads the output any more'))
      else reject(error)
    })
  })
}
