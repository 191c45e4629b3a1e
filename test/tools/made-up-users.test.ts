import { expect } from 'chai'
import { isValidEmail } from '../../src/account/email-address.ts'
import { isValidUsername, usernameKey } from '../../src/account/names.ts'
import { madeUpUser } from '../../src/tools/made-up-users.ts'

const crowd = Array.from({ length: 30_000 }, (_, index) => madeUpUser(1, index))

describe('made-up users', () => {
  it('are the same each time, and others for another seed', () => {
    expect(madeUpUser(1, 29_999)).to.deep.equal(crowd[29_999])
    expect(madeUpUser(2, 29_999)).not.to.deep.equal(crowd[29_999])
  })

  it('have names that nobody else has', () => {
    expect(new Set(crowd.map(user => usernameKey(user.username)))).to.have.lengthOf(crowd.length)
    const addresses = crowd.map(user => user.email).filter(email => email !== '')
    expect(new Set(addresses)).to.have.lengthOf(addresses.length)
  })

  it('could have registered themselves', () => {
    for (const { username, email, bio } of crowd) {
      expect(isValidUsername(username), username).to.equal(true)
      expect([...username].length, username).to.be.within(5, 16)
      if (email !== '') expect(isValidEmail(email), email).to.equal(true)
      expect(bio).not.to.match(/[{}]/)
    }
  })

  it('come from many places and scripts', () => {
    const scripts = [/\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Han}/u, /[şğçöü]/u, /^[A-Z]/]
    for (const script of scripts) {
      expect(
        crowd.some(user => script.test(user.username)),
        String(script),
      ).to.equal(true)
    }
  })

  it('end somewhere, with an error that says where', () => {
    expect(() => madeUpUser(1, 2_000_000_000)).to.throw(RangeError, 'found 2000000000')
  })
})
