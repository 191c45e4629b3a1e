import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import { isWeaker, readArgon2Hash } from './argon2-hash.ts'
import { createHashQueue } from './hash-queue.ts'
import { readImportedHash } from './imported-hashes.ts'

export type PasswordHasherOptions = {
  /** Of argon2id, for new hashes. */
  memoryKiB: number
  timeCost: number
  parallelism: number
  /** How many hashes are worked out at once; the number of cores if left out. */
  concurrency?: number
  /** How many wait beyond those. */
  queueLimit: number
}

/** Every method but `needsRehash` waits in one queue, and throws Overloaded as that does. */
export type PasswordHasher = {
  hash(password: string, deadline?: number): Promise<string>
  /** Whether the password is the one hashed, here or elsewhere. Not when the hash is of no format that we know. */
  verify(hash: string, password: string, deadline?: number): Promise<boolean>
  /** False, at the price of verifying a new hash: for accounts that do not exist. */
  verifyNothing(deadline?: number): Promise<false>
  /** Whether a hash is of another format than new ones, or weaker. */
  needsRehash(hash: string): boolean
  /** How many wait for their turn. */
  readonly waiting: number
}

/** Hashes passwords with argon2id, on the thread pool. Throws if the parameters make no hash. */
export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { memoryKiB, timeCost, parallelism, queueLimit } = options
  if (memoryKiB < 8 * parallelism) {
    throw new RangeError(
      `argon2 with parallelism ${parallelism}: expected at least ${8 * parallelism} KiB, found ${memoryKiB}`,
    )
  }
  const parameters = { type: argon2.argon2id, memoryCost: memoryKiB, timeCost, parallelism } as const
  const queue = createHashQueue({ concurrency: options.concurrency ?? availableParallelism(), queueLimit })

  async function hashForNothing(): Promise<false> {
    await argon2.hash('', { ...parameters, salt: Buffer.alloc(16), raw: true })
    return false
  }

  return {
    hash: (password, deadline) => queue.run(() => argon2.hash(password, parameters), deadline),

    verify(hash, password, deadline) {
      const verifyHash = readImportedHash(hash) ?? hashForNothing
      return queue.run(() => verifyHash(password), deadline)
    },

    verifyNothing: deadline => queue.run(hashForNothing, deadline),

    needsRehash(hash) {
      const found = readArgon2Hash(hash)
      return found === null || isWeaker(found, { memoryKiB, timeCost })
    },

    get waiting() {
      return queue.waiting
    },
  }
}
