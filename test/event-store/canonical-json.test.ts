import canonicalize from 'canonicalize'
import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalJson } from '../../src/event-store/canonical-json.ts'
import type { Json } from '../../src/event-store/event-store.ts'

/** JSON as it comes out of a parser; names that objects treat in their own way are frequent. */
const { json } = fc.letrec<{ json: Json; name: string }>(tie => ({
  name: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('__proto__', '1', '10', '9', '01', 'constructor', '€', '\r', '😂', 'ﬁ'),
  ),
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc
      .array(fc.tuple(tie('name'), tie('json')), { maxLength: 5 })
      .map(
        (members): Json =>
          JSON.parse(
            `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
          ),
      ),
  ),
}))

describe('canonical JSON', () => {
  it('is what a library of RFC 8785 writes, for any value', () => {
    fc.assert(
      fc.property(json, value => {
        expect(canonicalJson(value)).to.equal(canonicalize(value))
      }),
      {
        numRuns: 500,
      },
    )
  })

  it('is the same text when it is read and written again', () => {
    fc.assert(
      fc.property(json, value => {
        const text = canonicalJson(value)
        expect(canonicalJson(JSON.parse(text))).to.equal(text)
      }),
    )
  })

  it('writes the example of the RFC', () => {
    const value: Json = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    )
    expect(canonicalJson(value)).to.equal(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })
})
