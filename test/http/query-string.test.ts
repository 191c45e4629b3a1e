import { expect } from 'chai'
import { queryParameter } from '../../src/http/query-string.ts'

describe('a query parameter', () => {
  it('is undefined if it is not there', () => {
    expect(queryParameter('', 'query')).to.equal(undefined)
    expect(queryParameter('Query=a&xquery=b', 'query')).to.equal(undefined)
  })

  it('is the last one if it is repeated', () =>
    expect(queryParameter('query=a&query=b&x=c', 'query')).to.equal('b'))

  it('may be empty', () => {
    expect(queryParameter('query=', 'query')).to.equal('')
    expect(queryParameter('query', 'query')).to.equal('')
  })

  it('is decoded, with plus signs for spaces', () => {
    expect(queryParameter('query=a+%2B%20%C5%9E=%26&x=1', 'query')).to.equal('a + Ş=&')
    expect(queryParameter('%71uery=a', 'query')).to.equal('a')
    expect(queryParameter('query=100%', 'query')).to.equal('100%')
  })

  it('is null if it is not UTF-8', () => expect(queryParameter('query=%ff', 'query')).to.equal(null))
})
