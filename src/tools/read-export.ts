import { LineTooLong, linesOf } from './export-file/lines.ts'
import type { ReadLine } from './export-file/parse.ts'
import { createExportReader, type Problem } from './export-file/read.ts'
import { sizeOfGivenFile } from './given-file.ts'
import { showProgress } from './progress.ts'
import { exitCodes, type Shell, Stopped, ToolFailure } from './shell.ts'

/** `read` is null if the line cannot be understood; it was reported then. */
export type TakenLine = { bytes: Buffer; read: ReadLine | null }

export type Reading = {
  /** Of the progress bar. */
  title: string
  /** Said at Ctrl-C. */
  howToGoOn: string
  /** Told of every break of the chain, before the lines of that part of the file are handed out. */
  onProblem(problem: Problem): void
}

/** The lines of an export, some at a time, each checked against the chain. Throws ToolFailure and Stopped. */
export async function* readExport(shell: Shell, file: string, reading: Reading): AsyncGenerator<TakenLine[]> {
  const bar = showProgress(shell, reading.title, await sizeOfGivenFile(file), 'lines')
  const reader = createExportReader(reading.onProblem)
  let ended = true
  let count = 0
  try {
    for await (const { lines, ended: lastEnded, bytes } of linesOf(file, shell.signal)) {
      ended = lastEnded
      count += lines.length
      bar.update(bytes, count)
      yield lines.map(line => ({ bytes: line, read: reader.take(line) }))
    }
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error
    reading.onProblem({ line: count + 1, found: error.message })
  } finally {
    bar.stop()
  }
  if (shell.signal.aborted) throw new Stopped(reading.howToGoOn)
  reader.end(ended)
}

/** For whoever needs a whole export: throws ToolFailure at the first break of its chain. */
export function refuseBroken(file: string): (problem: Problem) => never {
  return ({ line, found }) => {
    throw new ToolFailure(exitCodes.difference, `the chain of ${file} is broken at line ${line}: ${found}`)
  }
}
