import type { EventText } from '../../event-store/log-transfer.ts'
import {
  afterChain,
  atStart,
  beforeChain,
  beforeSalt,
  contentText,
  hashLength,
  placeText,
  saltEnd,
  saltLength,
} from './format.ts'

/**
 * Lines of events, each with a newline before it, whose chains and salts are gaps yet. `ends` has two places for each
 * line: where its chain with what belongs to it ends, and where the line does.
 */
export type OpenLines = { bytes: Uint8Array<ArrayBuffer>; ends: Uint32Array<ArrayBuffer>; ids: string[] }

const usualBytes = 1024 * 1024
/** No UTF-16 unit takes more in UTF-8. */
const mostBytesPerUnit = 3
const chainGap = '-'.repeat(hashLength)
const saltGap = '-'.repeat(saltLength)

/** Writes the lines of events as bytes, which go from thread to thread and come back by `giveBack`. */
export function createEventLines() {
  const spare: Buffer<ArrayBuffer>[] = []
  let bytes = ownBytes(usualBytes)
  let end = 0
  let ends: number[] = []
  let ids: string[] = []

  function makeRoomFor(units: number): void {
    const needed = end + units * mostBytesPerUnit
    if (needed <= bytes.length) return
    const larger = ownBytes(2 * needed)
    bytes.copy(larger, 0, 0, end)
    bytes = larger
  }

  return {
    add(line: number, event: EventText): void {
      const place = placeText({ line, stream: event.stream, revision: String(event.revision) })
      const head = `\n${atStart}${place}${beforeChain}${chainGap}${afterChain}`
      const rest = `${contentText(event)}${beforeSalt}${saltGap}${saltEnd}`
      makeRoomFor(head.length + rest.length)
      const headEnd = end + bytes.write(head, end)
      end = headEnd + bytes.write(rest, headEnd)
      ends.push(headEnd, end)
      ids.push(event.id)
    },

    /** The lines since the last call. */
    take(): OpenLines {
      const taken = { bytes: bytes.subarray(0, end), ends: Uint32Array.from(ends), ids }
      bytes = spare.pop() ?? ownBytes(usualBytes)
      end = 0
      ends = []
      ids = []
      return taken
    },

    /** Bytes that were taken, and are not needed any more. */
    giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
      spare.push(Buffer.from(buffer))
    },
  }
}

/** Not out of the pool that other buffers share: it is handed to another thread. */
function ownBytes(length: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(length))
}
