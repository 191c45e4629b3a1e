import type { Command } from 'commander'
import { erasedBy } from '../account/erasures.ts'
import { openEventStore, withStore } from '../open-stores.ts'
import { publicKeyOf } from './export-file/signature.ts'
import { readGivenFile } from './given-file.ts'
import { type Imported, importLog } from './import-log.ts'
import { answer, describeTool, exitCodes, type Shell, ToolFailure } from './shell.ts'
import { verifyExport } from './verify-export.ts'

type Options = { key?: string; json?: true }

const example = `$ DATA_DIR=./empty npx roster import log.ndjson
$ EVENTSTORE_URL=esdb://… npx roster import --key export-key.pub.pem log.ndjson`

/** `roster import`: a whole exported log into an empty store, or into one that holds its beginning. */
export function addImport(program: Command, shell: Shell): void {
  const command = program.command('import <file>')
  describeTool(command, 'Bring an exported log into the event store of this environment.', example)
    .option('--key <file>', 'the public key (PEM) that must have signed it')
    .action(async (file: string, options: Options) => {
      const erasedThere = await requireGoodExport(shell, file, options)
      const imported = await withStore(openEventStore(shell.config()), store =>
        importLog({ shell, store, file, erasedThere }),
      )
      await answer(shell, options.json, imported, inWords(imported))
    })
}

/** Throws ToolFailure unless the whole chain holds; gives the users that were erased by the export. */
async function requireGoodExport(shell: Shell, file: string, options: Options): Promise<ReadonlySet<number>> {
  const publicKey = options.key === undefined ? undefined : publicKeyOf(await readGivenFile(options.key))
  const erased = new Set<number>()
  const { header, problems } = await verifyExport(shell, file, publicKey, ({ read }) => {
    if (read?.kind !== 'event' || !read.rest.includes('"type":"UserErased"')) return
    const userId = erasedBy({ stream: read.place.stream, type: 'UserErased' })
    if (userId !== null) erased.add(userId)
  })
  const [problem] = problems
  if (problem) {
    const message = `the chain of ${file} is broken at line ${problem.line}: ${problem.found}`
    throw new ToolFailure(exitCodes.difference, `${message}; nothing was imported`)
  }
  if (header?.scope !== 'log') {
    const message = `expected an export of a whole log, found one of ${header?.scope}, which has not the log's name`
    throw new ToolFailure(exitCodes.wrongUse, message)
  }
  return erased
}

function inWords({ events, truncated, ahead }: Imported): string {
  const lines = [events > 0 ? `imported ${events} events` : 'everything was there already']
  if (truncated > 0) lines.push(`${truncated} streams were cut off as they are in the export`)
  if (ahead > 0) lines.push(`the store holds ${ahead} later events that the export has not`)
  return lines.join('; ')
}
