import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect } from 'chai'
import pino from 'pino'
import { DomainError } from '../../src/account/domain-error.ts'
import { createClientOf } from '../../src/http/client.ts'
import type { Exchange } from '../../src/http/exchange.ts'
import { createLimits } from '../../src/http/limits.ts'
import { NoTurn } from '../../src/limits/attempts.ts'
import { createKnownAddresses } from '../../src/limits/known-addresses.ts'
import { createLimiter } from '../../src/limits/limiter.ts'
import { parseRules } from '../../src/limits/rules.ts'

/** A request from an address. */
function exchangeFrom(address: string): Exchange {
  const req = new IncomingMessage(new Socket())
  req.headers['x-forwarded-for'] = address
  const res = new ServerResponse(req)
  return { req, res, requestId: 'r', arrivedAt: performance.now(), segment: '', query: '', standing: null }
}

function limitsOf(setting: string) {
  const limiter = createLimiter({ rules: parseRules(setting), shared: null, key: Buffer.alloc(32) })
  const { digest } = limiter
  const known = createKnownAddresses({ rangesSince: async () => new Set(), digest, now: Date.now })
  return createLimits({
    ...{ limiter, known, clientOf: createClientOf(true), trustProxy: true, commandTimeoutMs: 5000 },
    log: pino({ enabled: false }),
    throttled() {},
    loginFailed() {},
  })
}

describe('Limits', () => {
  it('let the owner in where the owner was, however many strangers wait', async () => {
    const limits = limitsOf('logins-per-account=3/60')
    const home = '192.0.2.1'
    const logIn = (address: string, login: () => Promise<string>) =>
      limits.login(exchangeFrom(address), 'ege', login).catch((error: unknown) => error)
    expect(await logIn(home, async () => 'in')).to.equal('in')

    let fail = () => {}
    const held = new Promise<void>(resolve => {
      fail = resolve
    })
    const failing = async () => {
      await held
      throw new DomainError('no_active_account')
    }
    // Three are under way, and as many wait as may.
    const strangers = Array.from({ length: 3 + 64 }, (_, n) => logIn(`198.51.100.${n}`, failing))
    await new Promise(setImmediate)
    expect(await logIn('198.51.100.99', async () => 'in')).to.be.an.instanceOf(NoTurn)
    expect(await logIn(home, async () => 'in')).to.equal('in')
    fail()
    await Promise.all(strangers)
  })
})
