import type { Logger } from 'pino'
import type { AccessClaims } from '../account/accounts.ts'
import { DomainError } from '../account/domain-error.ts'
import { emailKey, usernameKey } from '../account/names.ts'
import { type IdLimit, ofUser, ofUsername } from '../limits/account-places.ts'
import { createAttempts, NoTurn } from '../limits/attempts.ts'
import { type KnownAddresses, placeDigest } from '../limits/known-addresses.ts'
import { type Limiter, left, type Place, type Standing, Throttled } from '../limits/limiter.ts'
import type { LimitName } from '../limits/rules.ts'
import { type ClientOf, clientNetwork } from './client.ts'
import { Refusal } from './errors.ts'
import type { Exchange, Step } from './exchange.ts'

export type Limits = ReturnType<typeof createLimits>

export type LimitsParts = {
  limiter: Limiter
  known: KnownAddresses
  clientOf: ClientOf
  trustProxy: boolean
  commandTimeoutMs: number
  log: Logger
  /** For metrics. */
  throttled(limit: LimitName): void
  loginFailed(): void
}

/** What throws Throttled where somebody does something too often; answers tell how the limit stands. */
export function createLimits(parts: LimitsParts) {
  const { limiter, known, clientOf, trustProxy, log } = parts
  const attempts = createAttempts(limiter)
  const networkOf = ({ req }: Exchange) => clientNetwork(req, trustProxy)

  async function noting<T>(exchange: Exchange, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (error instanceof Throttled) {
        parts.throttled(error.limit)
        exchange.standing = error.standing
      }
      throw error
    }
  }

  /** A step that adds nothing. */
  async function count(exchange: Exchange, place: Place): Promise<unknown> {
    tell(exchange, await noting(exchange, limiter.count(place)))
    return undefined
  }

  /** Throws Throttled, having counted nothing, where one of the places has none left. */
  async function countTogether(exchange: Exchange, places: readonly Place[]): Promise<void> {
    for (const place of places) await limiter.left(place)
    for (const place of places) tell(exchange, await limiter.count(place))
  }

  const ofMailbox = (limit: LimitName, email: string): Place => ({
    limit,
    whose: limiter.digest(emailKey(email)),
  })

  /** Mails that tell an account's address what was done; without one there are none. */
  const noticesTo = (email: string) => (email === '' ? [] : [ofMailbox('notices-per-mailbox', email)])

  function attempt<T>(
    exchange: Exchange,
    places: readonly Place[],
    work: () => Promise<T>,
    counts: (error: unknown) => boolean,
  ): Promise<T> {
    const deadline = exchange.arrivedAt + parts.commandTimeoutMs
    const failed = (standing: Standing | null) => tell(exchange, standing)
    return attempts.make(places, work, { counts, failed, deadline })
  }

  return {
    /** For the first step of a route. */
    byAddress: (limit: LimitName) => (exchange: Exchange) =>
      limiter.has(limit) ? count(exchange, { limit, whose: networkOf(exchange) }) : undefined,

    /**
     * A step whose refusals are second to a limit by address that is used up. What the limit counts comes later, and is
     * judged then.
     */
    beforeRefusals:
      <Adds>(limit: LimitName, step: Step<Exchange, Adds>): Step<Exchange, Adds> =>
      async exchange => {
        try {
          return await step(exchange)
        } catch (error) {
          if (error instanceof Refusal) {
            await noting(exchange, limiter.left({ limit, whose: networkOf(exchange) }))
          }
          throw error
        }
      },

    byAccount: (limit: IdLimit) => (exchange: Exchange & { claims: AccessClaims }) =>
      count(exchange, ofUser(limit, exchange.claims.userId)),

    /** Resets mailed to an address, whoever asks for them. */
    byMailbox: (exchange: Exchange & { fields: { email: string } }) =>
      count(exchange, ofMailbox('mails-per-mailbox', exchange.fields.email)),

    /** What permits a login whose password was right: each is a session more in the log. */
    permitSession: (exchange: Exchange, name: string) => () =>
      countTogether(exchange, [ofUsername('sessions-per-account', limiter.digest(usernameKey(name)))]),

    /** What permits a change of the password: whoever has the address, now or a moment later, it gets so many notices. */
    permitPasswordChange:
      (exchange: Exchange) =>
      ({ email }: { email: string }) =>
        countTogether(exchange, noticesTo(email)),

    /** What permits to ask for an address: the mails to it, those of the account, and the notice to the old address. */
    permitEmailChange:
      (exchange: Exchange & { claims: AccessClaims; fields: { email: string } }) =>
      ({ email }: { email: string }) =>
        countTogether(exchange, [
          ofUser('email-changes-per-account', exchange.claims.userId),
          ofMailbox('email-changes-per-mailbox', exchange.fields.email),
          ...noticesTo(email),
        ]),

    /** A command for which the password was given again. */
    withPassword<T>(exchange: Exchange & { claims: AccessClaims }, command: () => Promise<T>): Promise<T> {
      const place = ofUser('passwords-per-account', exchange.claims.userId)
      return noting(exchange, attempt(exchange, [place], command, isWrongPassword))
    },

    /**
     * A login. Who fails on purpose cannot lock the owner out: where the owner was lately, the name has an allowance of
     * its own once the others are used up, or too many wait for them.
     */
    async login<T>(exchange: Exchange, name: string, login: () => Promise<T>): Promise<T> {
      const username = usernameKey(name)
      const account = limiter.digest(username)
      const network = networkOf(exchange)
      const place = { username, network, range: clientOf(exchange).addressRange }
      const perAccount = (digest: string) => ofUsername('logins-per-account', digest)

      async function logIn(places: readonly Place[]): Promise<T> {
        try {
          const loggedIn = await attempt(exchange, places, login, isFailedLogin)
          known.remember(place)
          return loggedIn
        } catch (error) {
          if (isFailedLogin(error)) noteFailure()
          throw error
        }
      }

      function noteFailure(): void {
        const source = limiter.digest(network).slice(0, 8)
        log.info({ id: exchange.requestId, source, account: account.slice(0, 8) }, 'a login failed')
        parts.loginFailed()
      }

      const isHeldUp = (error: unknown) =>
        error instanceof NoTurn ||
        (error instanceof Throttled && usual.some(({ limit }) => limit === error.limit))

      async function logInWhereKnown(error: unknown): Promise<T> {
        if (!isHeldUp(error) || !(await known.knows(place))) throw error
        return logIn([perAccount(placeDigest(limiter.digest, place))])
      }

      const usual = [{ limit: 'logins-per-address', whose: network } as const, perAccount(account)]
      return noting(exchange, logIn(usual).catch(logInWhereKnown))
    },
  }
}

function tell(exchange: Exchange, standing: Standing | null): void {
  if (standing && (!exchange.standing || left(standing) < left(exchange.standing)))
    exchange.standing = standing
}

function isFailedLogin(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'no_active_account'
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof DomainError && error.problems.some(({ code }) => code === 'password_wrong')
}
