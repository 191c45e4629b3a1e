import { createHash, pbkdf2, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import argon2 from 'argon2'
import bcrypt from 'bcrypt'
import { readArgon2Hash } from './argon2-hash.ts'

export type Verify = (password: string) => Promise<boolean>

/** Beyond these a hash is not worth its price: whoever wrote it could keep a core or the memory busy. */
const largest = { iterations: 10_000_000, bcryptCost: 16, scryptBytes: 1024 ** 3, scryptLanes: 64, salt: 256 }

/**
 * How a hash that was made elsewhere is verified, always on the thread pool; null for what cannot be, or not within
 * reason. Known are
 * - as Django writes them: `pbkdf2_sha256$`, `pbkdf2_sha1$`, `argon2$argon2…`, `bcrypt_sha256$$2b$`, `bcrypt$$2b$`,
 *   `scrypt$N$salt$r$p$hash`
 * - bcrypt: `$2a$`, `$2b$`, `$2y$`
 * - argon2 and scrypt as PHC strings: `$argon2id$v=19$m=…`, `$scrypt$ln=…,r=…,p=…$salt$hash`
 */
export function readImportedHash(hash: string): Verify | null {
  for (const read of formats) {
    const verify = read(hash)
    if (verify) return verify
  }
  return null
}

const formats: readonly ((hash: string) => Verify | null)[] = [
  pbkdf2Hash,
  bcryptHash,
  djangoScryptHash,
  phcScryptHash,
  argon2Hash,
]

/** Whether it is no hash but Django's sign for an account without a password, that none is right for. */
export function isUnusable(hash: string): boolean {
  return hash.startsWith('!')
}

function argon2Hash(hash: string): Verify | null {
  const phc = hash.replace(/^argon2\$/, '$')
  return readArgon2Hash(phc) ? password => argon2.verify(phc, password) : null
}

const derivePbkdf2 = promisify(pbkdf2)
const pbkdf2Shape = /^pbkdf2_(sha256|sha1)\$([1-9]\d{0,8})\$([^$]*)\$([A-Za-z0-9+/]+={0,2})$/
const digestBytes = new Map([
  ['sha256', 32],
  ['sha1', 20],
])

function pbkdf2Hash(text: string): Verify | null {
  const [, digest = '', count, salt = '', base64 = ''] = pbkdf2Shape.exec(text) ?? []
  const iterations = Number(count)
  const hash = Buffer.from(base64, 'base64')
  if (!(iterations <= largest.iterations) || salt.length > largest.salt) return null
  if (hash.length !== digestBytes.get(digest)) return null
  return async password =>
    timingSafeEqual(hash, await derivePbkdf2(password, salt, iterations, hash.length, digest))
}

const bcryptShape = /^(bcrypt_sha256\$|bcrypt\$)?\$2[aby]\$(\d\d)(\$[./A-Za-z0-9]{53})$/

function bcryptHash(text: string): Verify | null {
  const [, wrapper, cost, rest] = bcryptShape.exec(text) ?? []
  if (!(Number(cost) >= 4 && Number(cost) <= largest.bcryptCost)) return null
  // 2a, 2b and 2y name one algorithm, and mistakes that others made with it.
  const hash = `$2b$${cost}${rest}`
  const isDigested = wrapper === 'bcrypt_sha256$'
  return password =>
    bcrypt.compare(isDigested ? createHash('sha256').update(password).digest('hex') : password, hash)
}

const djangoScryptShape =
  /^scrypt\$([1-9]\d{0,8})\$([^$]*)\$([1-9]\d{0,3})\$([1-9]\d{0,3})\$([A-Za-z0-9+/]+={0,2})$/

function djangoScryptHash(text: string): Verify | null {
  const [, N, salt = '', r, p, hash = ''] = djangoScryptShape.exec(text) ?? []
  return scryptHash(
    { N: Number(N), r: Number(r), p: Number(p) },
    Buffer.from(salt),
    Buffer.from(hash, 'base64'),
  )
}

const phcScryptShape =
  /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d{0,3}),p=([1-9]\d{0,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

function phcScryptHash(text: string): Verify | null {
  const [, ln, r, p, salt = '', hash = ''] = phcScryptShape.exec(text) ?? []
  const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
  return scryptHash(cost, Buffer.from(salt, 'base64'), Buffer.from(hash, 'base64'))
}

function scryptHash(cost: { N: number; r: number; p: number }, salt: Buffer, hash: Buffer): Verify | null {
  const { N, r, p } = cost
  const bytes = 128 * r * (N + p)
  const isReasonable =
    N > 1 && Number.isInteger(Math.log2(N)) && bytes <= largest.scryptBytes && p <= largest.scryptLanes
  if (!isReasonable || salt.length > largest.salt || hash.length < 16 || hash.length > 256) return null
  return async password =>
    timingSafeEqual(hash, await deriveScrypt(password, salt, hash.length, { ...cost, maxmem: 2 * bytes }))
}

function deriveScrypt(
  password: string,
  salt: Buffer,
  length: number,
  options: ScryptOptions,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
