import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readTokenKeys } from '../src/token-keys.ts'
import { withTemporaryFolder } from './support/temporary-folder.ts'

describe('The file of JWT_KEYS', () => {
  it('is named by what refuses it, with the reason', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      const refusal = () => readTokenKeys(file).then(() => 'read', String)
      expect(await refusal()).to.equal(
        `InvalidKeys: JWT_KEYS: expected keys in ${file}, cannot read it (ENOENT)`,
      )
      await writeFile(file, '{"keys":[]}')
      expect(await refusal()).to.equal(
        `InvalidKeys: JWT_KEYS: ${file}: expected at least one key, found none`,
      )
    }))
})
