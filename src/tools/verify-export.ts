import type { Command } from 'commander'
import type { ExportHeader } from './export-file/format.ts'
import type { ReadLine } from './export-file/parse.ts'
import type { Problem } from './export-file/read.ts'
import { publicKeyOf } from './export-file/signature.ts'
import { readGivenFile } from './given-file.ts'
import { readExport, type TakenLine } from './read-export.ts'
import { describeTool, exitCodes, type Shell } from './shell.ts'

type Options = { key?: string; json?: true }
type Footer = Extract<ReadLine, { kind: 'footer' }>

export type Verdict = {
  header: ExportHeader | null
  footer: Footer | null
  events: number
  redacted: number
  /** The first ones; a file that is broken all through has too many to tell. */
  problems: Problem[]
  problemCount: number
}

const problemsTold = 100
const example = `$ npx roster verify-export log.ndjson
$ npx roster verify-export --key export-key.pub.pem log.ndjson      and it must be signed with this key`

/** `roster verify-export`: whether every byte of an export is as it was when it was made. */
export function addVerifyExport(program: Command, shell: Shell): void {
  const command = program.command('verify-export <file>')
  describeTool(command, 'Find changed, missing, added or moved lines in an export, offline.', example)
    .option('--key <file>', 'the public key (PEM) that must have signed it; without it, any key may have')
    .action(async (file: string, options: Options) => {
      const publicKey = options.key === undefined ? undefined : publicKeyOf(await readGivenFile(options.key))
      const verdict = await verifyExport(shell, file, publicKey)
      await shell.print(options.json ? `${JSON.stringify(forMachines(verdict))}\n` : forPeople(verdict))
      if (verdict.problemCount > 0) shell.exit(exitCodes.difference)
    })
}

/** Reads the whole file. `publicKey`: base64url of the key that must have signed it. `onLine` is told of every line. */
export async function verifyExport(
  shell: Shell,
  file: string,
  publicKey?: string,
  onLine?: (line: TakenLine) => void,
): Promise<Verdict> {
  const verdict: Verdict = {
    header: null,
    footer: null,
    events: 0,
    redacted: 0,
    problems: [],
    problemCount: 0,
  }
  const onProblem = (problem: Problem) => {
    if (verdict.problemCount++ < problemsTold) verdict.problems.push(problem)
  }
  const howToGoOn = 'the rest is not verified; the same command begins anew'
  let lines = 0
  for await (const taken of readExport(shell, file, { title: 'verify-export', howToGoOn, onProblem })) {
    lines += taken.length
    for (const line of taken) {
      const { read } = line
      onLine?.(line)
      if (read?.kind === 'event') verdict.events++
      else if (read?.kind === 'redacted') verdict.redacted++
      else if (read?.kind === 'header') verdict.header = read.header
      else if (read?.kind === 'footer') verdict.footer = read
    }
  }
  const signer = verdict.footer?.signature?.publicKey
  if (publicKey !== undefined && verdict.footer && signer !== publicKey) {
    const found = signer === undefined ? 'it is not signed' : `key ${signer}`
    onProblem({ line: lines, found: `expected the signature of key ${publicKey}, found ${found}` })
  }
  return verdict
}

function forMachines({ header, footer, ...counts }: Verdict) {
  const signedBy = footer?.signature?.publicKey ?? null
  const { problemCount, problems, ...rest } = counts
  return {
    good: problemCount === 0,
    ...header,
    ...rest,
    until: footer?.footer.until ?? null,
    signedBy,
    problems,
    problemCount,
  }
}

function forPeople({ header, footer, events, redacted, problems, problemCount }: Verdict): string {
  const lines = problems.map(({ line, found }) => `line ${line}: ${found}`)
  if (problemCount > problems.length) lines.push(`… and ${problemCount - problems.length} more`)
  if (problemCount > 0) return `${[...lines, `${problemCount} found`].join('\n')}\n`
  const told = header?.scope === 'log' ? 'the whole log' : `the part of ${header?.scope} in the log`
  const by = footer?.signature
    ? `signed by key ${footer.signature.publicKey}`
    : 'not signed: who could write it could make it anew'
  const without = redacted > 0 ? `, and ${redacted} whose contents were taken out` : ''
  return `good: ${told} ${header?.log}, ${events} events${without}, until ${footer?.footer.until}; ${by}\n`
}
