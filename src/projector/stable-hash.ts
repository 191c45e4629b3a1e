/** FNV-1a over UTF-16 code units: the same on every machine and in every version, for ever. 32 bits. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  // FNV's low bits are weak, and the low ones are those that a remainder looks at.
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Which of so many partitions a stream belongs to. */
export function partitionOf(stream: string, partitions: number): number {
  return partitions === 1 ? 0 : stableHash(stream) % partitions
}
