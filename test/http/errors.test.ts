import { expect } from 'chai'
import Koa from 'koa'
import pino from 'pino'
import { DomainError, type DomainErrorCode, Overloaded } from '../../src/account/domain-error.ts'
import { EventTooLarge, RevisionConflict, StoreUnavailable } from '../../src/event-store/event-store.ts'
import { createDispatch } from '../../src/http/dispatch.ts'
import { answerTo } from '../../src/http/errors.ts'
import { fixedHeaders } from '../../src/http/headers.ts'
import { createObserve, type RequestState } from '../../src/http/observe.ts'
import { at, createRouter } from '../../src/http/router.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { type Answered, createHttpClient, outcome } from '../support/http-client.ts'

/** Asks a route that meets an error, and gives the answer and what was logged. */
async function meet(error: unknown): Promise<{ answered: Answered; logged: readonly string[] }> {
  const logged: string[] = []
  const log = pino({ base: null }, { write: line => void logged.push(line) })
  const route = at('/route', 'noStore', { GET: () => Promise.reject(error) })
  const app = new Koa<RequestState>()
  app.use(createObserve(createRouter([route]), log, () => {}))
  app.use(createDispatch({ headers: fixedHeaders(['*']), log, isStopping: () => false }))
  const server = await startHttpServer({
    port: 0,
    host: '127.0.0.1',
    createHandler: () => app.callback(),
    log,
  })
  const client = createHttpClient(server.url)
  try {
    return { answered: await client.get('/route', { 'X-Request-Id': 'the-id' }), logged }
  } finally {
    client.close()
    await server.stop(0)
  }
}

describe('an error in a request', () => {
  for (const error of [
    new StoreUnavailable('cannot reach esdb://secret'),
    new Overloaded('64 hashes wait'),
    new RevisionConflict('user-1', 3n, 5n),
  ]) {
    it(`is answered with 503 and when to try again: ${error.name}`, async () => {
      const { answered, logged } = await meet(error)
      expect(outcome(answered)).to.deep.equal({
        status: 503,
        body: { detail: 'Service temporarily unavailable.' },
      })
      expect(answered.headers['retry-after']).to.match(/^\d+$/)
      expect(logged.join('')).to.contain('"status":503')
    })
  }

  for (const error of [new Error('secret'), new EventTooLarge('user-1', 2, 1), 'no error at all', null]) {
    it(`is answered with 500 if it is one of our own, told in the log alone: ${error}`, async () => {
      const { answered, logged } = await meet(error)
      expect(outcome(answered)).to.deep.equal({ status: 500, body: { detail: 'Internal server error.' } })
      expect(answered.headers['x-request-id']).to.equal('the-id')
      const [line = '{}'] = logged
      expect(JSON.parse(line)).to.include({ id: 'the-id', level: 50 })
      if (error instanceof Error)
        expect(JSON.parse(line)).to.have.nested.property('err.message', error.message)
    })
  }

  it('has an answer of its own for each code of the domain', () => {
    const expected: [DomainErrorCode, number, string | undefined][] = [
      ['no_active_account', 401, 'No active account found with the given credentials'],
      ['account_gone', 401, 'User not found'],
      ['token_invalid', 401, 'Token is invalid or expired'],
      ['token_wrong_type', 401, 'Token has wrong type'],
      ['session_ended', 401, 'Given token not valid for any token type'],
      ['reset_token_invalid', 404, 'Not found.'],
      ['email_unknown', 400, undefined],
      ['not_owner', 401, 'Unauthorized.'],
      ['invalid_fields', 400, undefined],
    ]
    for (const [code, status, detail] of expected) {
      const answer = answerTo(new DomainError(code))
      expect(answer?.status, code).to.equal(status)
      expect(JSON.parse(String(answer?.body)).detail, code).to.equal(detail)
      expect(answer?.headers.includes('WWW-Authenticate'), code).to.equal(status === 401)
    }
  })

  it('tells fields that turned out wrong late as those found early', () => {
    const error = new DomainError('invalid_fields', [
      { field: 'username', code: 'username_taken' },
      { field: 'password', code: 'password_too_short' },
      { field: 'password', code: 'password_too_similar', similarTo: 'last name' },
    ])
    expect(JSON.parse(String(answerTo(error)?.body))).to.deep.equal({
      username: ['A user with that username already exists.'],
      password: [
        'This password is too short. It must contain at least 8 characters.',
        'The password is too similar to the last name.',
      ],
    })
  })
})
