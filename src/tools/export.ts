import type { Command } from 'commander'
import { openExistingEventStore, withStore } from '../open-stores.ts'
import { exportSigner } from './export-file/signature.ts'
import { exportLog } from './export-log.ts'
import { findUser } from './find-user.ts'
import { readGivenFile } from './given-file.ts'
import { withOutput } from './output.ts'
import { withProgress } from './progress.ts'
import { redactFile } from './redact.ts'
import { answer, describeTool, exitCodes, type Shell, Stopped, ToolFailure } from './shell.ts'

type Options = { user?: string; out?: string; key?: string; redact?: string; json?: true }

const example = `$ npx roster keys new export-key.pem
$ npx roster export --key export-key.pem --out log.ndjson      the whole log, signed
$ npx roster export --user egekaya > egekaya.ndjson            what the log says of one user
$ npx roster export --redact log.ndjson 42 --out copy.ndjson   a copy that has forgotten user 42`

/** `roster export`: the log, or one user's part of it, as signed lines; or a copy of such a file, redacted. */
export function addExport(program: Command, shell: Shell): void {
  const command = program.command('export [id]')
  describeTool(command, 'Write the event log as NDJSON that proves itself, as it is now.', example)
    .option('--user <username|id>', "one user's events, without the log's key for names")
    .option('--out <file>', 'write here, readable for its owner alone (default: stdout)')
    .option('--key <file>', 'sign it with this Ed25519 private key (PEM)')
    .option(
      '--redact <file>',
      "copy this export without user <id>'s contents, its chain and signature unbroken",
    )
    .action(async (id: string | undefined, options: Options) => {
      if (options.redact !== undefined) await redact(shell, options.redact, id, options)
      else if (id !== undefined)
        throw new ToolFailure(exitCodes.wrongUse, 'an id is for --redact alone; see --user')
      else await exportAll(shell, options)
    })
}

async function exportAll(shell: Shell, options: Options): Promise<void> {
  const sign = options.key === undefined ? {} : { sign: exportSigner(await readGivenFile(options.key)) }
  const { signal } = shell
  await withStore(openExistingEventStore(shell.config()), async store => {
    const userId = options.user === undefined ? null : (await findUser(store, options.user)).userId
    const head = Number(await store.head())
    const events = await withOutput(shell, options.out, async output => {
      const exported = await withProgress(shell, 'export', head, 'events', bar =>
        exportLog({
          store,
          userId,
          ...sign,
          signal,
          write: lines => output.write(lines),
          onProgress: progress => bar.update(Number(progress.position), progress.events),
        }),
      )
      if (exported === null) throw new Stopped('nothing is kept of it; the same command exports anew')
      return exported
    })
    await summary(shell, options, { events }, `exported ${events} events`)
  })
}

async function redact(shell: Shell, file: string, id: string | undefined, options: Options): Promise<void> {
  if (id === undefined || !/^\d{1,15}$/.test(id)) {
    throw new ToolFailure(
      exitCodes.wrongUse,
      `expected the id of a user after --redact FILE, found ${id ?? 'none'}`,
    )
  }
  const redacted = await withOutput(shell, options.out, output => redactFile(shell, file, Number(id), output))
  await summary(shell, options, { redacted }, `took the contents of ${redacted} events out`)
}

/** On stdout, unless the export itself went there. */
async function summary(shell: Shell, options: Options, result: Record<string, number>, words: string) {
  if (options.out !== undefined) await answer(shell, options.json, { ...result, file: options.out }, words)
  else shell.note(words)
}
