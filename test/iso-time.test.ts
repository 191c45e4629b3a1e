import { expect } from 'chai'
import { parseIsoTime } from '../src/iso-time.ts'

describe('A time in ISO 8601', () => {
  const times: [text: string, utc: string][] = [
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00.5z', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31 12:00:00.123456+02:00', '2026-01-31T10:00:00.123Z'],
    ['2026-01-31T12:00:00-0330', '2026-01-31T15:30:00.000Z'],
    ['2026-01-31T12:00+01', '2026-01-31T11:00:00.000Z'],
    ['2026-01-31T12:00:00', '2026-01-31T12:00:00.000Z'],
    [' 2028-02-29 ', '2028-02-29T00:00:00.000Z'],
  ]
  for (const [text, utc] of times) {
    it(`is read from ${JSON.stringify(text)}`, () => expect(parseIsoTime(text)).to.equal(utc))
  }

  const others = [
    '',
    'yesterday',
    '7',
    '2026',
    '2026-02-31',
    '2026-13-01',
    '2026-01-31T25:00Z',
    '2026-01-31T',
  ]
  for (const text of others) {
    it(`is not ${JSON.stringify(text)}`, () => expect(parseIsoTime(text)).to.equal(null))
  }
})
