import { expect } from 'chai'
import { chooseQueries } from '../../bench/world/queries.ts'
import { usernameKey } from '../../src/account/names.ts'
import { madeUpUser } from '../../src/tools/made-up-users.ts'

const usernames = Array.from({ length: 20_000 }, (_, index) => madeUpUser(1, index).username)
const keys = usernames.map(usernameKey)
const hitsOf = (text: string) => keys.filter(key => key.includes(text)).length

describe('the search texts of a bench', () => {
  const queries = chooseQueries(usernames, 1000)
  const some = (texts: readonly string[]) => texts.slice(0, 20).map(hitsOf)

  it('find about as many as their case says', () => {
    for (const hits of some(queries.few)) expect(hits).to.be.within(4, 12)
    for (const hits of some(queries.many)) expect(hits).to.be.within(500, 1200)
    for (const hits of some(queries.none)) expect(hits).to.equal(0)
  })

  it('are different ones', () => {
    expect(queries.few.length).to.be.above(100)
    expect(new Set(queries.few)).to.have.lengthOf(queries.few.length)
  })

  it('know the letters that most and that few names have', () => {
    const shares = queries.commonLetters.map(letter => hitsOf(letter) / keys.length)
    expect(queries.commonLetters).to.have.lengthOf(5)
    for (const share of shares) expect(share).to.be.above(0.3)
    for (const letter of queries.rareLetters)
      expect(hitsOf(letter) / keys.length).to.be.within(1 / 5000, 1 / 200)
  })
})
