import { tellsOf } from '../account/erasures.ts'
import { redactedLine, sha256 } from './export-file/format.ts'
import { eventIn } from './export-file/parse.ts'
import type { Output } from './output.ts'
import { readExport, refuseBroken, type TakenLine } from './read-export.ts'
import type { Shell } from './shell.ts'

/**
 * Copies an export with the contents and salts of all that tells of a user replaced by their digests, so that chain
 * and signature hold. What an erasure leaves in the log stays here too: the UserErased event, and the keyed digests of
 * names. Resolves to the number of lines redacted. Throws ToolFailure if the chain is broken.
 */
export async function redactFile(
  shell: Shell,
  file: string,
  userId: number,
  output: Output,
): Promise<number> {
  const howToGoOn = 'nothing is kept of the copy; the same command makes it anew'
  let redacted = 0
  let before = ''
  for await (const lines of readExport(shell, file, {
    title: 'redact',
    howToGoOn,
    onProblem: refuseBroken(file),
  })) {
    let text = ''
    for (const line of lines) {
      const forgets = tells(line, userId)
      if (forgets) redacted++
      text += `${forgets ? withoutContent(line, before) : line.bytes}\n`
      if (line.read) before = line.read.chain
    }
    await output.write(text)
  }
  return redacted
}

function tells({ bytes, read }: TakenLine, userId: number): boolean {
  if (read?.kind !== 'event') return false
  const { stream } = read.place
  // Parsing every line would take most of the time.
  if (
    stream !== `user-${userId}` &&
    !(stream.startsWith('session-') && bytes.includes(`"userId":${userId}`))
  ) {
    return false
  }
  const event = eventIn(read)
  return (
    event !== null && tellsOf({ stream, type: event.type, userId: () => event.metadata.userId }) === userId
  )
}

function withoutContent({ bytes, read }: TakenLine, before: string): string {
  return read?.kind === 'event' ? redactedLine(before, read.place, sha256(read.rest)).text : String(bytes)
}
