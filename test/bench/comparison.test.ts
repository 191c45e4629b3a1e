import { expect } from 'chai'
import { compare, median, type Side } from '../../bench/measuring/comparison.ts'

/** A side whose figures are known beforehand, and that notes when it is asked. */
function scripted(name: string, figures: number[], asked: string[]): Side {
  return {
    name,
    measure: async () => {
      asked.push(name)
      const figure = figures.shift()
      if (figure === undefined) throw new Error(`expected no more measurements of ${name}`)
      return figure
    },
  }
}

const rounds = { count: 3, seconds: 0, warmUpSeconds: 0, settleSeconds: 0 }

describe('comparing in a bench', () => {
  it('takes the median of the ratios of each round, not the ratio of the medians', async () => {
    const of = scripted('of', [100, 50, 10], [])
    const to = scripted('to', [200, 50, 40], [])
    const [line] = await compare([{ title: 'case', of, to, wanted: 0.5 }], rounds)
    expect(line).to.deep.equal({
      title: 'case',
      figure: '50/s',
      comparedWith: 'to: 50/s',
      ratio: '0.50',
      wanted: '≥ 0.50',
      verdict: 'ok',
    })
  })

  it('measures each side once a round, the other way round in every second one', async () => {
    const asked: string[] = []
    const [a, b, c] = ['a', 'b', 'c'].map(name => scripted(name, [1, 1, 1], asked))
    if (!a || !b || !c) throw new Error('expected three sides')
    const lines = [
      { title: 'a to b', of: a, to: b, wanted: null },
      { title: 'a to c', of: a, to: c, wanted: null },
    ]
    await compare(lines, rounds)
    expect(asked.join('')).to.equal('abccbaabc')
  })

  it('says what falls short, and asks nothing where nothing is wanted', async () => {
    const of = scripted('of', [69, 69, 69], [])
    const to = scripted('to', [100, 100, 100], [])
    const lines = [
      { title: 'asked', of, to, wanted: 0.7 },
      { title: 'shown', of, to, wanted: null },
    ]
    const measured = await compare(lines, rounds)
    expect(measured.map(({ wanted, verdict }) => [wanted, verdict])).to.deep.equal([
      ['≥ 0.70', 'short'],
      ['', ''],
    ])
  })

  it('does not count the warming up', async () => {
    const of = scripted('of', [1, 8, 8, 8], [])
    const to = scripted('to', [9, 4, 4, 4], [])
    const [line] = await compare([{ title: 'case', of, to, wanted: 2 }], { ...rounds, warmUpSeconds: 1 })
    expect(line?.ratio).to.equal('2.00')
  })

  it('fails when a side does nothing', async () => {
    const of = scripted('of', [0], [])
    const to = scripted('to', [1], [])
    const failure = await compare([{ title: 'case', of, to, wanted: 1 }], rounds).catch(error => error)
    expect(failure).to.be.an('error').with.property('message').that.includes('expected of to do something')
  })

  it('has a median for odd and even counts, and none for nothing', () => {
    expect(median([3, 1, 2])).to.equal(2)
    expect(median([4, 1, 3, 2])).to.equal(2.5)
    expect(() => median([])).to.throw(RangeError)
  })
})
