import { expect } from 'chai'
import { inWords } from '../../src/tools/verifying/finding.ts'

describe('a finding of roster verify, in words', () => {
  it('is one line that no terminal obeys, whatever the log and the read models hold', () => {
    const strange = 'user-\u001b[2J\n'
    expect(inWords({ kind: 'missing', projection: 'profiles', key: strange, stream: 'user-1' })).to.equal(
      String.raw`"profiles user-\u001b[2J\n: missing, by user-1"`,
    )
    expect(inWords({ kind: 'name', stream: strange, problem: 'is none' })).to.equal(
      String.raw`"user-\u001b[2J\n: is none"`,
    )
  })

  it('is as it is otherwise', () => {
    const finding = {
      kind: 'differing',
      projection: 'profiles',
      key: 'é',
      stream: 'user-1',
      paths: ['a', 'b'],
    } as const
    expect(inWords({ ...finding, paths: [...finding.paths] })).to.equal('profiles é: differs in a, b')
  })
})
