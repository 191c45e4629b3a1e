import type { EventText } from '../../event-store/log-transfer.ts'
import { chainAfter, contentText, hashLength, placeText, sha256 } from './format.ts'

const usualBytes = 1024 * 1024
/** No UTF-16 unit takes more in UTF-8. */
const mostBytesPerUnit = 3
const chainGap = '-'.repeat(hashLength)
const afterChain = '",'

/** The lines of events that follow `chain`, each with a newline before it, as bytes: hashed as they are written. */
export function createEventLines(chain: string) {
  let bytes = Buffer.allocUnsafe(usualBytes)
  let spare = Buffer.allocUnsafe(usualBytes)
  let end = 0

  function makeRoomFor(units: number): void {
    const needed = end + units * mostBytesPerUnit
    if (needed <= bytes.length) return
    const larger = Buffer.allocUnsafe(2 * needed)
    bytes.copy(larger, 0, 0, end)
    bytes = larger
  }

  return {
    chain: () => chain,

    add(line: number, event: EventText, salt: string): void {
      const place = placeText({ line, stream: event.stream, revision: String(event.revision) })
      const head = `\n{"at":${place},"chain":"${chainGap}${afterChain}`
      const rest = `${contentText(event)},"salt":"${salt}"}`
      makeRoomFor(head.length + rest.length)
      const restStart = end + bytes.write(head, end)
      end = restStart + bytes.write(rest, restStart)
      chain = chainAfter(chain, sha256(bytes.subarray(restStart, end)), place)
      bytes.write(chain, restStart - afterChain.length - hashLength, 'latin1')
    },

    /** The lines since the last call; the bytes are used again after the next one. */
    take(): Buffer {
      const taken = bytes.subarray(0, end)
      ;[bytes, spare] = [spare, bytes]
      end = 0
      return taken
    },
  }
}
