import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises'
import { exitCodes, type Shell, ToolFailure } from './shell.ts'

/** Where a tool writes what may be long. */
export type Output = {
  write(text: string | Buffer): Promise<void>
  /** All is written and safe: under its own name, on disk, if it is a file. */
  finish(): Promise<void>
  /** Nothing is left of it, if it is a file. */
  abandon(): Promise<void>
}

const toStdout = (shell: Shell): Output => ({
  write: text => shell.print(text),
  finish: async () => {},
  abandon: async () => {},
})

/**
 * A file that has its name only once it is finished, and that only its owner may read; stdout if `file` is undefined.
 * Throws ToolFailure if it cannot be made, and afterwards as the file system does.
 */
export async function openOutput(shell: Shell, file: string | undefined): Promise<Output> {
  if (file === undefined) return toStdout(shell)
  const partial = `${file}.partial`
  const handle = await openNew(file, partial)
  return {
    async write(text) {
      await handle.writeFile(text)
    },
    async finish() {
      await handle.sync()
      await handle.close()
      await rename(partial, file)
    },
    async abandon() {
      await handle.close()
      await unlink(partial)
    },
  }
}

async function openNew(file: string, partial: string): Promise<FileHandle> {
  const refuse = (reason: string, cause?: unknown) =>
    new ToolFailure(exitCodes.wrongUse, `expected to write ${file}: ${reason}`, { cause })
  // Otherwise this would be found only once all is written.
  const isFolder = await stat(file).then(
    found => found.isDirectory(),
    () => false,
  )
  if (isFolder) throw refuse('it is a folder')
  return open(partial, 'w', 0o600).catch(cause => {
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause)
  })
}

/** Runs `use` with an output that is finished if it resolves, and abandoned if it throws. */
export async function withOutput<T>(
  shell: Shell,
  file: string | undefined,
  use: (output: Output) => Promise<T>,
): Promise<T> {
  const output = await openOutput(shell, file)
  try {
    const result = await use(output)
    await output.finish()
    return result
  } catch (error) {
    await output.abandon()
    throw error
  }
}
