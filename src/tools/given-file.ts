import { access, constants, readFile, stat } from 'node:fs/promises'
import { exitCodes, ToolFailure } from './shell.ts'

/** The text of a file given on the command line. Throws ToolFailure if it cannot be read. */
export function readGivenFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(refuse(file))
}

/** Its size in bytes. Throws ToolFailure if it is not there, is a folder, or may not be read. */
export async function sizeOfGivenFile(file: string): Promise<number> {
  await access(file, constants.R_OK).catch(refuse(file))
  const found = await stat(file).catch(refuse(file))
  if (found.isDirectory()) refuse(file)(new Error('it is a folder'))
  return found.size
}

function refuse(file: string): (cause: unknown) => never {
  return cause => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ToolFailure(exitCodes.wrongUse, `expected to read ${file}: ${reason}`, { cause })
  }
}
