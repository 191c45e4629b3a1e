import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { isUnusable, readImportedHash } from '../../src/account/imported-hashes.ts'

type Made = { password: string; hashes: { django?: string; algorithm: string; hash: string }[] }

/** Made by Django's own code, and by libraries of others. */
const made = (file: string): Made =>
  JSON.parse(readFileSync(new URL(`../fixtures/password-hashes/${file}.json`, import.meta.url), 'utf8'))

describe('a password hash from elsewhere', () => {
  for (const { password, hashes } of [made('django'), made('others')]) {
    for (const { django, algorithm, hash } of hashes.filter(({ algorithm }) => algorithm !== 'unusable')) {
      it(`is verified: ${algorithm}${django ? ` of Django ${django}` : ''}`, async () => {
        const verify = readImportedHash(hash)
        const verified = [password, `${password} `].map(tried => verify?.(tried))
        expect(await Promise.all(verified)).to.deep.equal([true, false])
      })
    }
  }

  it('is none where Django has written that there is no password', () => {
    for (const { algorithm, hash } of [...made('django').hashes, ...made('others').hashes]) {
      expect(isUnusable(hash), hash).to.equal(algorithm === 'unusable')
      if (isUnusable(hash)) expect(readImportedHash(hash)).to.equal(null)
    }
  })

  const hash64 = Buffer.alloc(64).toString('base64')
  const refused = {
    'an unknown format': 'md5$salt$900150983cd24fb0d6963f7d28e17f72',
    'no text': '',
    'iterations without end': `pbkdf2_sha256$999999999$salt$${Buffer.alloc(32).toString('base64')}`,
    'a hash of the wrong length': `pbkdf2_sha256$1000$salt$${hash64}`,
    'another digest': `pbkdf2_md5$1000$salt$${Buffer.alloc(16).toString('base64')}`,
    'bcrypt at a cost of hours': `$2b$31$${'a'.repeat(53)}`,
    'bcrypt cut short': `$2b$10$${'a'.repeat(52)}`,
    'scrypt that takes all memory': `scrypt$67108864$salt$8$1$${hash64}`,
    'scrypt with a cost that is no power of two': `scrypt$16385$salt$8$1$${hash64}`,
    'scrypt with a hash of nothing': '$scrypt$ln=14,r=8,p=1$c2FsdA$AAAA',
    'argon2 that takes all memory':
      'argon2$argon2id$v=19$m=999999999,t=2,p=8$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA',
  }
  for (const [what, hash] of Object.entries(refused)) {
    it(`is not taken: ${what}`, () => {
      expect(readImportedHash(hash)).to.equal(null)
    })
  }
})
