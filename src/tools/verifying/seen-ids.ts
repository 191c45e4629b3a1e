import { createHash } from 'node:crypto'

const bitsPerId = 64
const fewestBits = 2 ** 16
const mostBits = 2 ** 29
const uuidBytes = 16

/**
 * Remembers ids in 8 bytes for each that is `expected`, in 64 MiB at most, however many come. `add` says whether the id
 * may have been there before: sometimes it was not (1 in 40,000 at ten million ids), but what was there before is never
 * missed.
 */
export function createSeenIds(expected: number): { add(id: string): boolean } {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, expected) * bitsPerId))
  const bits = Math.min(Math.max(wanted, fewestBits), mostBits)
  const seen = new Uint32Array(bits / 32)

  return {
    add(id) {
      const bytes = bytesOf(id)
      let isNew = false
      for (let offset = 0; offset < uuidBytes; offset += 4) {
        const bit = bytes.readUInt32LE(offset) % bits
        const word = bit >>> 5
        const mask = 1 << (bit & 31)
        const before = seen[word] ?? 0
        if ((before & mask) === 0) {
          isNew = true
          seen[word] = before | mask
        }
      }
      return !isNew
    },
  }
}

function bytesOf(id: string): Buffer {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return bytes.length === uuidBytes ? bytes : createHash('sha256').update(id).digest()
}
