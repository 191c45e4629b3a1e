import argon2 from 'argon2'
import { expect } from 'chai'
import fc from 'fast-check'
import { Overloaded } from '../../src/account/domain-error.ts'
import { createPasswordHasher } from '../../src/account/password-hashing.ts'

const cheap = { memoryKiB: 64, timeCost: 2, parallelism: 1, concurrency: 2, queueLimit: 64 }
const hasher = createPasswordHasher(cheap)
const password = 'Ünîcode 🦊 pass'

describe('a password hash', () => {
  it('is argon2id with the parameters given, and salted', async () => {
    const hashes = await Promise.all([hasher.hash(password), hasher.hash(password)])
    for (const hash of hashes) expect(hash).to.match(/^\$argon2id\$v=19\$m=64,p=1,t=2\$[^$]{22}\$[^$]{43}$/)
    expect(hashes[0]).to.not.equal(hashes[1])
    expect(hashes.join()).to.not.include(password)
  })

  it('is verified by its password and by no other', async () => {
    const hash = await hasher.hash(password)
    expect(await hasher.verify(hash, password)).to.equal(true)
    for (const other of ['', 'Ünîcode 🦊 Pass', `${password} `, password.normalize('NFD')]) {
      expect(await hasher.verify(hash, other)).to.equal(false)
    }
  })

  it('of other parameters, types and versions of argon2 is verified too', async () => {
    for (const options of [
      { type: argon2.argon2id, memoryCost: 32, timeCost: 1, parallelism: 2, hashLength: 16 },
      { type: argon2.argon2i, memoryCost: 64, timeCost: 3, parallelism: 1 },
      { type: argon2.argon2d, memoryCost: 64, timeCost: 2, parallelism: 1, version: 16 },
    ] as const) {
      const hash = await argon2.hash(password, options)
      expect(await hasher.verify(hash, password), hash).to.equal(true)
      expect(await hasher.verify(hash, 'another'), hash).to.equal(false)
    }
  })

  it('from another implementation, without a version or in another order, is verified', async () => {
    const oldVersion = await argon2.hash(password, {
      memoryCost: 64,
      timeCost: 2,
      parallelism: 1,
      version: 16,
    })
    expect(await hasher.verify(oldVersion.replace('$v=16', ''), password)).to.equal(true)
    const reference = (await hasher.hash(password)).replace('m=64,p=1,t=2', 'm=64,t=2,p=1')
    expect(await hasher.verify(reference, password)).to.equal(true)
    expect(hasher.needsRehash(reference)).to.equal(false)
  })

  for (const [reason, hash] of [
    ['is empty', ''],
    ['is the password itself', password],
    ['is of a format that is not known', `$9z$${'a'.repeat(60)}`],
    ['is unusable', '!'],
    ['has no digest', '$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA'],
    ['has an empty digest', '$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$'],
    ['has a digest that is too short to be one', '$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAA'],
    ['wants 4 TiB of memory', `$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`],
    ['wants too little memory', `$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`],
    ['wants to take for ever', `$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`],
    ['wants a million threads', `$argon2id$v=19$m=64000,t=2,p=1000000$c29tZXNhbHQ$${'A'.repeat(43)}`],
    ['has no time cost', `$argon2id$v=19$m=64,p=2,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`],
    ['has four parameters', `$argon2id$v=19$m=64,t=2,p=1,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`],
    ['is of no known type', `$argon2x$v=19$m=64,t=2,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`],
  ] as const) {
    it(`is nobody's when it ${reason}`, async () => {
      expect(await hasher.verify(hash, password)).to.equal(false)
    })
  }

  it('that was damaged anywhere is false, and never an error', async () => {
    const hash = await hasher.hash(password)
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: hash.length - 1 }),
        fc.constantFrom(...'$0=,aA+/é'),
        async (at, char) => {
          fc.pre(hash[at] !== char)
          const damaged = hash.slice(0, at) + char + hash.slice(at + 1)
          // The last character of salt and digest has bits that mean nothing.
          const same = sameBytes(damaged, hash)
          expect(await hasher.verify(damaged, password)).to.equal(same)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('of nobody is false', async () => {
    expect(await hasher.verifyNothing()).to.equal(false)
  })

  it('cannot be made with less memory than argon2 needs', () => {
    expect(() => createPasswordHasher({ ...cheap, memoryKiB: 31, parallelism: 4 })).to.throw(
      'expected at least 32 KiB, found 31',
    )
  })
})

function sameBytes(one: string, other: string): boolean {
  const fields = (hash: string) =>
    hash.split('$').map((field, at) => (at > 3 ? Buffer.from(field, 'base64').toString('hex') : field))
  return /[^A-Za-z0-9+/$=,]/.test(one) === false && fields(one).join() === fields(other).join()
}

describe('a stored hash is due for a new one', () => {
  const due = (options: object) =>
    argon2.hash(password, { memoryCost: 64, timeCost: 2, parallelism: 1, ...options })

  it('when it is weaker than new ones', async () => {
    expect(hasher.needsRehash(await due({ memoryCost: 63 }))).to.equal(true)
    expect(hasher.needsRehash(await due({ timeCost: 1 }))).to.equal(true)
    expect(hasher.needsRehash(await due({ version: 16 }))).to.equal(true)
    expect(hasher.needsRehash(await due({ type: argon2.argon2i }))).to.equal(true)
  })

  it('when it is of another format', () => {
    for (const hash of ['', 'pbkdf2_sha256$260000$abc$def', '$2b$12$abc']) {
      expect(hasher.needsRehash(hash)).to.equal(true)
    }
  })

  it('and not when it is as strong, or stronger', async () => {
    expect(hasher.needsRehash(await hasher.hash(password))).to.equal(false)
    expect(hasher.needsRehash(await due({ memoryCost: 128, timeCost: 3, parallelism: 2 }))).to.equal(false)
  })
})

describe('the password hasher', () => {
  it('refuses at once when more wait than may, whatever they want', async () => {
    const busy = createPasswordHasher({ ...cheap, concurrency: 1, queueLimit: 1 })
    const hash = await busy.hash(password)
    const accepted = [busy.hash(password), busy.verify(hash, password)]
    expect(busy.waiting).to.equal(1)
    const refused = await Promise.allSettled([
      busy.hash(password),
      busy.verify(hash, password),
      busy.verify('garbage', password),
      busy.verifyNothing(),
    ])
    for (const result of refused) {
      expect(result).to.have.property('status', 'rejected')
      expect(result).to.have.property('reason').that.is.instanceOf(Overloaded)
    }
    const [, verified] = await Promise.all(accepted)
    expect(verified).to.equal(true)
    expect(busy.waiting).to.equal(0)
  })

  it('does not hash past a deadline, and says nothing of the password', async () => {
    const error: unknown = await hasher
      .hash(password, performance.now() - 1)
      .catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(Overloaded)
    expect(String(error)).to.not.include(password)
  })
})
