import { expect } from 'chai'
import { pythonStrip } from '../../src/http/python-strip.ts'

/** `[c for c in map(chr, range(0x110000)) if c.isspace()]` */
const pythonSpaces = [
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
  ...[0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a],
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
]

describe('trimming', () => {
  it('takes away what Python takes for white space and nothing else, of every code point', () => {
    const trimmed: number[] = []
    for (let code = 0; code <= 0x10ffff; code++) {
      if (pythonStrip(`${String.fromCodePoint(code)}x`) === 'x') trimmed.push(code)
    }
    expect(trimmed).to.deep.equal(pythonSpaces)
  })

  it('trims both ends and leaves what is between', () => {
    expect(pythonStrip('\u3000 \t a \u2003 b\x1c\r\n')).to.equal('a \u2003 b')
    expect(pythonStrip(' \u0085 ')).to.equal('')
    expect(pythonStrip('')).to.equal('')
  })
})
