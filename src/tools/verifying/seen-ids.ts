import { createHash } from 'node:crypto'

const bits = 2 ** 29
const uuidBytes = 16

/**
 * Remembers ids in 64 MiB, however many there are. `add` says whether the id may have been there before: sometimes it
 * was not (1 in 40,000 at ten million ids), but what was there before is never missed.
 */
export function createSeenIds(): { add(id: string): boolean } {
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
