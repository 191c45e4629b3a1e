import { createReadStream } from 'node:fs'

/** Lines without their newline; `ended` is false for a last one that has none. `bytes` were read up to here. */
export type Lines = { lines: Buffer[]; ended: boolean; bytes: number }

const newline = 0x0a
const bytesPerRead = 1024 * 1024
/** A store takes events of 1 MiB, and JSON may write a character of theirs as six. */
const longestLine = 8 * bytesPerRead

/** A line so long that it cannot be one of an export. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
}

/** The lines of a file, those of one read at a time, so that memory does not grow with the file. Throws LineTooLong. */
export async function* linesOf(file: string, signal?: AbortSignal): AsyncGenerator<Lines> {
  let rest: Buffer[] = []
  let restLength = 0
  let bytes = 0
  for await (const read of createReadStream(file, { highWaterMark: bytesPerRead })) {
    if (signal?.aborted) return
    const chunk: Buffer = read
    bytes += chunk.length
    const lines: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end)
      lines.push(rest.length === 0 ? piece : Buffer.concat([...rest, piece]))
      rest = []
      restLength = 0
      start = end + 1
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start))
      restLength += chunk.length - start
    }
    if (restLength > longestLine)
      throw new LineTooLong(`expected lines of at most ${longestLine} bytes, found a longer one`)
    if (lines.length > 0) yield { lines, ended: true, bytes }
  }
  if (restLength > 0) yield { lines: [Buffer.concat(rest)], ended: false, bytes }
}
