import { expect } from 'chai'
import { MongoNetworkError } from 'mongodb'
import { StoreUnavailable } from '../../src/event-store/event-store.ts'
import { readStoreError } from '../../src/read-store/mongodb-failures.ts'

describe('What the driver of MongoDB fails with', () => {
  const translated = (error: unknown) => readStoreError('reading', 'host:1', error)

  it('is that the store is unavailable, where the driver says so', () => {
    expect(translated(new MongoNetworkError('closed'))).to.be.instanceOf(StoreUnavailable)
  })

  it('is that too where a socket says so, closed while it was written to', () => {
    for (const code of ['EPIPE', 'ECONNRESET'])
      expect(translated(Object.assign(new Error('ended'), { code }))).to.be.instanceOf(StoreUnavailable)
  })

  it('is as it was where it is an error of our own', () => {
    const error = new TypeError('of our own')
    expect(translated(error)).to.equal(error)
  })
})
