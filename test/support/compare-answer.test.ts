import { expect } from 'chai'
import { openApiDocument } from '../../src/http/openapi.ts'
import type { ApiDocument } from './fuzzing/api-document.ts'
import { createCompareAnswer } from './fuzzing/compare-answer.ts'

const document: ApiDocument = JSON.parse(JSON.stringify(openApiDocument('none')))
const compare = createCompareAnswer(document)

/** An answer as it comes over the wire. */
function answer(status: number, body: unknown, ...headers: string[]): string {
  const text = body === null ? '' : JSON.stringify(body)
  const all = ['X-Request-Id: 1', ...(text === '' ? [] : ['Content-Type: application/json']), ...headers]
  return `HTTP/1.1 ${status} X\r\n${all.join('\r\n')}\r\n\r\n${text}`
}

const detail = { detail: 'words' }
const search = { method: 'GET', target: '/api/users/?query=a' }
const register = { method: 'POST', target: '/api/user/create' }

describe('An answer compared with the OpenAPI document', () => {
  it('is right as the document has it', () => {
    const registered = { email: 'a@b.example', username: 'a' }
    expect(compare(register, answer(201, registered, 'Location: /api/users/a/'))).to.equal(null)
    expect(compare(search, answer(200, []))).to.equal(null)
    expect(compare(search, answer(503, detail, 'Retry-After: 1'))).to.equal(null)
  })

  it('is wrong with a status that is not listed', () => {
    expect(compare(register, answer(200, {}))).to.match(/expected one of .*201.*, found 200/)
    expect(compare(search, answer(404, detail))).to.match(/expected one of .*, found 404/)
  })

  it('is wrong with a body that is not as its schema says', () => {
    expect(compare(search, answer(200, [{ id: 1 }]))).to.match(/expected a body as .*username/)
    expect(compare(register, answer(201, { username: 'a' }))).to.match(/expected a body as .*email/)
    expect(compare(search, answer(200, []).replace('[]', '['))).to.match(/expected JSON, found/)
  })

  it('is wrong with a 5xx, and with 503 where it does not say when to come again', () => {
    expect(compare(search, answer(500, detail))).to.match(/expected no 5xx but 503/)
    expect(compare(search, answer(503, detail))).to.match(/Retry-After/)
  })

  it('is wrong without what every answer has', () => {
    expect(compare(search, answer(200, []).replace('X-Request-Id: 1\r\n', ''))).to.match(/X-Request-Id/)
    expect(compare(search, answer(401, detail))).to.match(/WWW-Authenticate/)
    expect(compare(search, 'nonsense')).to.match(/expected an answer/)
  })

  it('is 404 on a path that is not described, and 405 for another method on one that is', () => {
    const put = { method: 'PUT', target: '/api/users/' }
    expect(compare({ method: 'GET', target: '/nowhere' }, answer(404, detail))).to.equal(null)
    expect(compare({ method: 'GET', target: '/nowhere' }, answer(200, detail))).to.match(/expected 404/)
    expect(compare(put, answer(405, detail, 'Allow: GET'))).to.equal(null)
    expect(compare(put, answer(405, detail))).to.match(/Allow/)
    expect(compare({ method: 'GET', target: '/api/users/%ff/' }, answer(404, detail))).to.equal(null)
  })
})
