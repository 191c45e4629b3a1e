import type { Command } from 'commander'
import { openEventStore, withStore } from '../open-stores.ts'
import { sizeOfGivenFile } from './given-file.ts'
import { importUsers, type Outcome } from './import-users-into-log.ts'
import { withProgress } from './progress.ts'
import { describeTool, exitCodes, type Shell, Stopped } from './shell.ts'
import { printable, spelledOut } from './spelled-out.ts'
import { userRecords } from './user-records.ts'

const example = `$ npx roster import-users users.csv
$ npx roster import-users --json users.ndjson > imported.ndjson

A line: {"username":"ege","email":"ege@example.org","password_hash":"pbkdf2_sha256$260000$…","first_name":"Ege"}
Fields: username, password_hash; email, first_name, last_name, bio, fav_sport_1 to fav_sport_3, location, avatar,
privacy may be missing. CSV begins with a line of these names.`

/** `roster import-users`: users of another service, who go on with their passwords. */
export function addImportUsers(program: Command, shell: Shell): void {
  const command = program.command('import-users <file>')
  describeTool(
    command,
    'Register users from another service with the password hashes they have.',
    example,
  ).action(async (file: string, { json }: { json?: true }) => {
    const counts = { imported: 0, 'there already': 0, refused: 0 }
    const size = await sizeOfGivenFile(file)
    const { signal } = shell
    await withStore(openEventStore(shell.config()), store =>
      withProgress(shell, 'import-users', size, 'users', async bar => {
        const onOutcome = async (outcome: Outcome, bytes: number) => {
          counts[outcome.result]++
          if (json) await shell.print(`${spelledOut(outcome)}\n`)
          else if (outcome.result === 'refused') await shell.print(refusal(outcome))
          bar.update(bytes, counts.imported + counts['there already'])
        }
        await importUsers({ store, records: userRecords(file), onOutcome, signal })
      }),
    )
    const summary = `${counts.imported} imported, ${counts['there already']} there already, ${counts.refused} refused`
    if (signal.aborted) throw new Stopped(`${summary}; the same command goes on and imports nobody twice`)
    if (json) shell.note(summary)
    else await shell.print(`${summary}\n`)
    if (counts.refused > 0) shell.exit(exitCodes.difference)
  })
}

function refusal({ line, problems }: Outcome & { result: 'refused' }): string {
  return `line ${line}: ${printable(problems.join('; '))}\n`
}
