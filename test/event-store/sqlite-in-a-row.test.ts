import { expect } from 'chai'
import { createInARow } from '../../src/event-store/sqlite-in-a-row.ts'

describe('Work in a row', () => {
  it('is done once everything else of the turn is, in the order in which it was asked for', async () => {
    const inARow = createInARow()
    const seen: string[] = []
    const first = inARow(() => seen.push('first')).then(() => seen.push('after the first'))
    const second = inARow(() => seen.push('second'))
    await Promise.resolve()
    seen.push('the rest of the turn')
    await Promise.all([first, second])
    expect(seen).to.deep.equal(['the rest of the turn', 'first', 'second', 'after the first'])
  })

  it('gives each asker its own answer', async () => {
    const inARow = createInARow()
    const answers = await Promise.allSettled([
      inARow(() => 1),
      inARow(() => {
        throw new Error('two')
      }),
      inARow(async () => 3),
    ])
    expect(
      answers.map(answer => (answer.status === 'fulfilled' ? answer.value : String(answer.reason))),
    ).to.deep.equal([1, 'Error: two', 3])
  })

  it('is done by the next turn when it is asked for by other such work', async () => {
    const inARow = createInARow()
    const seen: string[] = []
    let inner: Promise<number> | undefined
    await inARow(() => {
      inner = inARow(() => seen.push('inner'))
      seen.push('outer')
    })
    expect(seen).to.deep.equal(['outer'])
    await inner
    expect(seen).to.deep.equal(['outer', 'inner'])
  })

  it('lets others have the event loop now and then', async () => {
    const inARow = createInARow()
    const seen: number[] = []
    const all = Array.from({ length: 1000 }, (_, at) => inARow(() => void seen.push(at)))
    await all[0]
    expect(seen).to.have.length.within(1, 100)
    await Promise.all(all)
    expect(seen).to.deep.equal(Array.from({ length: 1000 }, (_, at) => at))
  })

  it('is done at once when there will be no later', async () => {
    const inARow = createInARow()
    const seen: string[] = []
    void inARow(() => seen.push('waiting'))
    inARow.flush()
    expect(seen).to.deep.equal(['waiting'])
  })
})
