/** What an argon2 hash in the PHC string format says of how it was made. */
export type Argon2Hash = { type: string; version: number; memoryKiB: number; timeCost: number }

// The three parameters come in any order: m,t,p from the reference implementation, m,p,t from others.
const shape = /^\$argon2(id|i|d)(?:\$v=(16|19))?\$([mtp0-9=,]{11,40})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const parameter = /^([mtp])=([1-9]\d{0,9})$/

const largest = { memoryKiB: 4 * 1024 * 1024, timeCost: 1000, parallelism: 64, bytes: 1024 }
const smallest = { memoryKiBPerLane: 8, saltBytes: 8, hashBytes: 16 }

/**
 * Reads a stored hash, or gives null for one that cannot be verified, or not within reason: an imported one may ask
 * for any amount of memory and time. Without a version it is of version 16.
 */
export function readArgon2Hash(text: string): Argon2Hash | null {
  const [, type = '', version = '16', parameters = '', salt = '', hash = ''] = shape.exec(text) ?? []
  const found = parameters.split(',').map(text => parameter.exec(text) ?? [])
  const given = (name: string) => Number(found.find(([, its]) => its === name)?.[2])
  const memoryKiB = given('m')
  const timeCost = given('t')
  const parallelism = given('p')
  const reasonable =
    found.length === 3 &&
    memoryKiB >= smallest.memoryKiBPerLane * parallelism &&
    memoryKiB <= largest.memoryKiB &&
    timeCost <= largest.timeCost &&
    parallelism <= largest.parallelism &&
    isBase64Of(salt, smallest.saltBytes) &&
    isBase64Of(hash, smallest.hashBytes)
  return reasonable ? { type, version: Number(version), memoryKiB, timeCost } : null
}

/** Whether a hash is easier to attack than a new one with these parameters. */
export function isWeaker(hash: Argon2Hash, wanted: { memoryKiB: number; timeCost: number }): boolean {
  return (
    hash.type !== 'id' ||
    hash.version < 19 ||
    hash.memoryKiB < wanted.memoryKiB ||
    hash.timeCost < wanted.timeCost
  )
}

function isBase64Of(text: string, minimumBytes: number): boolean {
  const bytes = Math.floor((text.length * 3) / 4)
  return text.length % 4 !== 1 && bytes >= minimumBytes && bytes <= largest.bytes
}
