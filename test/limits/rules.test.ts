import { expect } from 'chai'
import { defaultRules, parseRules } from '../../src/limits/rules.ts'

describe('RATE_LIMITS', () => {
  it('on has the default rules', () => {
    expect(Object.fromEntries(parseRules('on'))).to.deep.equal(defaultRules)
  })

  it('off has none', () => {
    expect([...parseRules('off')]).to.deep.equal([])
  })

  it('names what is otherwise', () => {
    const rules = parseRules('searches-per-address=5/10, edits-per-account=off')
    expect(rules.get('searches-per-address')).to.deep.equal({ points: 5, seconds: 10 })
    expect(rules.has('edits-per-account')).to.equal(false)
    expect(rules.get('logins-per-account')).to.deep.equal(defaultRules['logins-per-account'])
  })

  for (const [setting, says] of [
    ['yes', 'expected on, off, or NAME=COUNT/SECONDS'],
    ['searches=1/1', 'logins-per-address'],
    ['searches-per-address=1', 'expected on, off, or NAME=COUNT/SECONDS'],
    ['searches-per-address=0/60', 'expected searches-per-address to be at least 1'],
    ['searches-per-address=1/0', 'expected searches-per-address to be at least 1'],
    ['searches-per-address=1/99999999', 'within 1 to 1000000 seconds'],
  ] as const) {
    it(`refuses ${setting}, and says what was expected`, () => {
      expect(() => parseRules(setting)).to.throw(says)
    })
  }
})
