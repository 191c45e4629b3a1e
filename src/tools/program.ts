import { Command, CommanderError } from 'commander'
import { InvalidConfig } from '../config.ts'
import { StoreUnavailable } from '../event-store/event-store.ts'
import { addAudit } from './audit.ts'
import { addBackup } from './backup.ts'
import { addExport } from './export.ts'
import { WrongKey } from './export-file/signature.ts'
import { EmptyLog } from './export-log.ts'
import { addImport } from './import.ts'
import { addImportUsers } from './import-users.ts'
import { addKeys } from './keys.ts'
import { addParked } from './parked.ts'
import { addReplay } from './replay.ts'
import { addSeed } from './seed-command.ts'
import { createShell, type ExitCode, exitCodes, Stopped, type Terminal, ToolFailure } from './shell.ts'
import { addShow } from './show.ts'
import { addUser } from './user.ts'
import { addVerify } from './verify.ts'
import { addVerifyExport } from './verify-export.ts'

const exitCodesHelp = `
Exit codes: 0 good, 1 a difference was found, 2 wrong use, 3 a store is out of reach; 70 another failure, 130 Ctrl-C.
Stores are found as by the service: DATA_DIR, EVENTSTORE_URL, MONGODB_URL, STREAM_PREFIX. It may be running or not.`

/** Runs `roster <args>` and resolves to its exit code. */
export async function runRoster(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.good
  const shell = createShell(terminal, code => {
    exitCode = code
  })
  const program = new Command('roster')
    .description('Tools for the event log of Roster and what is built from it.')
    .addHelpText('after', exitCodesHelp)
    .exitOverride()
    .configureOutput({
      writeOut: text => void terminal.stdout.write(text),
      writeErr: text => void terminal.stderr.write(text),
    })
  addShow(program, shell)
  addAudit(program, shell)
  addVerify(program, shell)
  addReplay(program, shell)
  addParked(program, shell)
  addExport(program, shell)
  addVerifyExport(program, shell)
  addImport(program, shell)
  addImportUsers(program, shell)
  addBackup(program, shell)
  addSeed(program, shell)
  addKeys(program, shell)
  addUser(program, shell)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.wrongUse
    const { code, message } = ending(error)
    shell.note(`roster: ${message}`)
    return code
  }
}

/** What to say at the end, and the exit code. */
function ending(error: unknown): { code: ExitCode; message: string } {
  if (error instanceof Stopped) return { code: exitCodes.stopped, message: `stopped: ${error.message}` }
  if (error instanceof ToolFailure) return { code: error.exitCode, message: error.message }
  if (error instanceof StoreUnavailable) return { code: exitCodes.unreachable, message: error.message }
  if (error instanceof EmptyLog) return { code: exitCodes.difference, message: error.message }
  if (error instanceof WrongKey) return { code: exitCodes.wrongUse, message: error.message }
  if (error instanceof InvalidConfig) {
    return { code: exitCodes.wrongUse, message: `the environment is wrong: ${error.message}` }
  }
  return {
    code: exitCodes.failed,
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }
}
