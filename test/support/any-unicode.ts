import fc from 'fast-check'

const surrogates = 0x800
const firstSurrogate = 0xd800

/** Like a string of fast-check's unit `binary`, without the second that the table behind that one takes. */
export function anyUnicode(constraints?: Omit<fc.StringConstraints, 'unit'>): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: codePoint })
}

const codePoint = fc
  .nat(0x10ffff - surrogates)
  .map(n => String.fromCodePoint(n < firstSurrogate ? n : n + surrogates))
