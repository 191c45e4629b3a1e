import type { OpenLines } from './event-lines.ts'
import {
  afterChain,
  atStart,
  beforeChain,
  chainAfter,
  hashLength,
  saltEnd,
  saltLength,
  sha256,
} from './format.ts'

/** The secret that salts come from, and the chain that the first line follows. */
export type Sealing = { saltKey: string; chain: string }
/** Lines as they stand in the file, and the chain of the last one. */
export type SealedLines = { bytes: Uint8Array<ArrayBuffer>; chain: string }

/** Fills the gaps of lines, in their own bytes. */
export function sealLines({ bytes: own, ends, ids }: OpenLines, { saltKey, chain }: Sealing): SealedLines {
  const bytes = Buffer.from(own.buffer, own.byteOffset, own.length)
  let last = chain
  let lineStart = 0
  ids.forEach((id, index) => {
    const headEnd = ends[2 * index] ?? 0
    const end = ends[2 * index + 1] ?? 0
    const chainAt = headEnd - afterChain.length - hashLength
    const placeStart = lineStart + '\n'.length + atStart.length
    const place = bytes.toString('utf8', placeStart, chainAt - beforeChain.length)
    bytes.write(saltOf(saltKey, id), end - saltEnd.length - saltLength, 'latin1')
    last = chainAfter(last, sha256(bytes.subarray(headEnd, end)), place)
    bytes.write(last, chainAt, 'latin1')
    lineStart = end
  })
  return { bytes: own, chain: last }
}

/**
 * A salt is worked out from the log's own key and the event's id, so that a log exports to the same bytes again, from
 * any store. Where content and salt are taken out, the id is gone too, and with it the way to the salt.
 */
const saltOf = (saltKey: string, eventId: string) => sha256(saltKey + eventId).slice(0, saltLength)
