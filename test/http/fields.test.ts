import { expect } from 'chai'
import { z } from 'zod'
import { boolean, inspect, password, text } from '../../src/http/fields.ts'

const schema = z.object({
  name: text({ maximum: 5, rule: value => (value.includes('!') ? 'No shouting.' : null) }),
  secret: password(),
  note: text({ maximum: 3, mayBeBlank: true }).optional(),
  flag: boolean().optional(),
})
const right = { name: 'a', secret: 'b' }

const fieldsOf = (sent: Record<string, unknown>) => {
  const inspection = inspect(schema, { ...right, ...sent })
  return inspection.ok ? inspection.fields : inspection.errors
}
const errorsOf = (sent: Record<string, unknown>) => {
  const inspection = inspect(schema, sent)
  return inspection.ok ? [] : inspection.errors.map(({ field, message }) => `${field}: ${message}`)
}

describe('a text field', () => {
  it('is trimmed as Python trims', () =>
    expect(fieldsOf({ name: '\u3000a b\x1f' })).to.include({ name: 'a b' }))

  it('takes a number for its text', () => {
    expect(fieldsOf({ name: 1.5 })).to.include({ name: '1.5' })
    expect(fieldsOf({ name: 0 })).to.include({ name: '0' })
    expect(fieldsOf(JSON.parse('{"secret":12345678901234567890}'))).to.include({
      secret: '12345678901234567000',
    })
  })

  it('counts code points after trimming', () => {
    expect(fieldsOf({ name: ' 🏀🏀🏀🏀🏀 ' })).to.include({ name: '🏀🏀🏀🏀🏀' })
    expect(errorsOf({ ...right, name: '🏀🏀🏀🏀🏀🏀' })).to.deep.equal([
      'name: Ensure this field has no more than 5 characters.',
    ])
  })

  it('may be blank only where that is allowed', () => {
    expect(fieldsOf({ note: ' ' })).to.include({ note: '' })
    expect(errorsOf({ ...right, name: ' \u0085 ' })).to.deep.equal(['name: This field may not be blank.'])
  })

  it('is told to be missing, null or of another type', () => {
    expect(errorsOf({})).to.deep.equal(['name: This field is required.', 'secret: This field is required.'])
    expect(errorsOf({ name: null, secret: null, note: null })).to.deep.equal([
      'name: This field may not be null.',
      'secret: This field may not be null.',
      'note: This field may not be null.',
    ])
    expect(errorsOf({ name: true, secret: [], note: {} })).to.deep.equal([
      'name: Not a valid string.',
      'secret: Not a valid string.',
      'note: Not a valid string.',
    ])
  })

  it('has neither NUL nor unpaired surrogates, and is told both', () => {
    expect(errorsOf({ ...right, name: 'a\0', note: '\udfff\0' })).to.deep.equal([
      'name: Null characters are not allowed.',
      'note: Null characters are not allowed.',
      'note: Surrogate characters are not allowed: U+DFFF.',
    ])
    expect(errorsOf({ ...right, name: 'ab🏀\ud800' })).to.deep.equal([
      'name: Surrogate characters are not allowed: U+D800.',
    ])
  })

  it('is told its length and its rule together', () => {
    expect(errorsOf({ ...right, name: 'aaaaa!' })).to.deep.equal([
      'name: Ensure this field has no more than 5 characters.',
      'name: No shouting.',
    ])
  })

  it('is not taken from a prototype', () => {
    expect(errorsOf(Object.fromEntries([['__proto__', right]]))).to.have.lengthOf(2)
  })
})

describe('a password field', () => {
  it('is taken as it is', () => expect(fieldsOf({ secret: '  p ' })).to.include({ secret: '  p ' }))

  it('is blank if it is only white space', () => {
    expect(errorsOf({ ...right, secret: ' \u3000' })).to.deep.equal(['secret: This field may not be blank.'])
  })
})

describe('a boolean field', () => {
  for (const value of [true, 'true', 'True', 'TRUE', 't', 'y', 'Yes', 'on', 'ON', '1', 1]) {
    it(`takes ${JSON.stringify(value)} for true`, () =>
      expect(fieldsOf({ flag: value })).to.include({ flag: true }))
  }
  for (const value of [false, 'false', 'False', 'FALSE', 'f', 'n', 'No', 'off', 'OFF', '0', 0, -0]) {
    it(`takes ${JSON.stringify(value)} for false`, () =>
      expect(fieldsOf({ flag: value })).to.include({ flag: false }))
  }
  for (const value of ['', ' true', 'ja', 2, 1.5, [], {}, ['true'], 'null']) {
    it(`refuses ${JSON.stringify(value)}`, () =>
      expect(errorsOf({ ...right, flag: value })).to.deep.equal(['flag: Must be a valid boolean.']))
  }
  it('may not be null', () =>
    expect(errorsOf({ ...right, flag: null })).to.deep.equal(['flag: This field may not be null.']))
})
