import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { generatedSecret } from '../src/secret.ts'
import { withTemporaryFolder } from './support/temporary-folder.ts'

describe('The generated secret', () => {
  it('is one and the same for all who start at once and later, and only the owner can read it', async () => {
    await withTemporaryFolder(async folder => {
      const dataDir = join(folder, 'data')
      const secrets = await Promise.all(Array.from({ length: 20 }, () => generatedSecret(dataDir)))
      secrets.push(await generatedSecret(dataDir))
      expect(new Set(secrets).size).to.equal(1)
      expect(Buffer.byteLength(secrets[0] ?? '')).to.be.at.least(32)
      expect(await readdir(dataDir)).to.deep.equal(['jwt-secret'])
      expect((await stat(join(dataDir, 'jwt-secret'))).mode & 0o777).to.equal(0o600)
    })
  })

  it('is refused when the file was cut short, and left as it is', async () => {
    await withTemporaryFolder(async folder => {
      await writeFile(join(folder, 'jwt-secret'), 'short\n')
      const refusal = await generatedSecret(folder).then(String, (error: Error) => error.message)
      expect(refusal).to.match(/expected at least 32 bytes in .*jwt-secret, found 5/)
      expect(await readFile(join(folder, 'jwt-secret'), 'utf8')).to.equal('short\n')
    })
  })
})
