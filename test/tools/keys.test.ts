import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseSigningKeys } from '../../src/account/signing-keys.ts'
import { roster } from '../support/run-roster.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const keysOf = async (file: string) => parseSigningKeys(await readFile(file, 'utf8'))
const kidsOf = async (file: string) => (await keysOf(file)).map(({ kid }) => kid)

describe('roster keys', () => {
  it('makes a key that signs tokens, in a file that only its owner may read', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      const made = await roster({}, ['keys', 'new', file])
      expect(made).to.include({ code: 0, stderr: '' })
      const [key] = await keysOf(file)
      expect(key).to.include({ algorithm: 'ES256' })
      expect(made.stdout).to.include(key?.kid).and.to.include(`JWT_KEYS=${file}`)
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
    }))

  it('prints nothing of the key but its id', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      const { stdout } = await roster({}, ['keys', 'new', '--json', file])
      const [kid] = await kidsOf(file)
      expect(JSON.parse(stdout)).to.deep.equal({ file, kid, alg: 'ES256', signs: true })
    }))

  it('adds a key behind those that are there, or before them, in the file of JWT_KEYS too', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      await roster({ JWT_KEYS: file }, ['keys', 'new'])
      const [first] = await kidsOf(file)
      const second = await roster({ JWT_KEYS: file }, ['keys', 'new', '--alg', 'RS256'])
      expect(second.stdout).to.include('signs once it is put first')
      await roster({ JWT_KEYS: file }, ['keys', 'new', '--first'])
      const keys = await keysOf(file)
      expect(keys.map(({ algorithm }) => algorithm)).to.deep.equal(['ES256', 'ES256', 'RS256'])
      expect(keys[1]?.kid).to.equal(first)
    }))

  it('puts a key first, so that it signs', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      for (let count = 0; count < 3; count++) await roster({}, ['keys', 'new', file])
      const [a, b, c = ''] = await kidsOf(file)
      expect(await roster({}, ['keys', 'first', file, c])).to.include({ code: 0 })
      expect(await kidsOf(file)).to.deep.equal([c, a, b])
      const unknown = await roster({}, ['keys', 'first', file, 'x'])
      expect(unknown).to.include({ code: 1, stderr: `roster: expected a key x in ${file}, found none\n` })
    }))

  it('changes nothing in a file that is no set of keys', () =>
    withTemporaryFolder(async folder => {
      const file = join(folder, 'keys.json')
      await writeFile(file, '{"keys":"secret"}')
      const refused = await roster({}, ['keys', 'new', file])
      expect(refused).to.include({ code: 2, stdout: '' })
      expect(refused.stderr).to.include('expected a JWK set').and.not.to.include('secret')
      expect(await readFile(file, 'utf8')).to.equal('{"keys":"secret"}')
      const nowhere = await roster({}, ['keys', 'new', join(folder, 'no', 'keys.json')])
      expect(nowhere).to.include({ code: 2 })
    }))

  it('needs a file for them', async () => {
    const refused = await roster({}, ['keys', 'new'])
    expect(refused).to.include({ code: 2 })
    expect(refused.stderr).to.include('neither given nor in JWT_KEYS')
  })
})
