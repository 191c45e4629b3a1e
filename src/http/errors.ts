import { DomainError, type DomainErrorCode, type FieldProblem, Overloaded } from '../account/domain-error.ts'
import { RevisionConflict, StoreUnavailable } from '../event-store/event-store.ts'
import { Throttled } from '../limits/limiter.ts'
import { type Answer, json } from './exchange.ts'
import { type FieldError, fieldErrorBody } from './field-errors.ts'

/** A request that the HTTP layer itself refuses, with its answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly answer: Answer
  constructor(answer: Answer) {
    super(`refused with ${answer.status}`)
    this.answer = answer
  }
}

/** The client went away before it had sent its whole request: nobody is left to be answered. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

export const notFound = () => json(404, { detail: 'Not found.' })

export const methodNotAllowed = (method: string, allow: string) =>
  json(405, { detail: `Method "${method}" not allowed.` }, 'Allow', allow)

export const bodyTooLarge = () => json(413, { detail: 'Request body too large.' })

export const unsupportedType = (type: string) =>
  json(415, { detail: `Unsupported media type "${type}" in request.` })

export const unsupportedCoding = (coding: string) =>
  json(
    415,
    { detail: `Unsupported content coding "${coding}" in request.` },
    'Accept-Encoding',
    'gzip, deflate, br',
  )

export const unreadable = (detail: string) => json(400, { detail })

export const noData = (message: string) => json(400, { non_field_errors: [message] })

/** 400 for errors of fields, each field with a list, in the order of `fields`. */
export const invalidFields = (errors: readonly FieldError[], fields: readonly string[] = []) =>
  json(400, fieldErrorBody(errors, fields))

export const unauthorized = (body: { detail: string; code?: string; messages?: object[] }) =>
  json(401, body, 'WWW-Authenticate', 'Bearer realm="api"')

/** 401 for an access token, in the words that clients of the original service know. */
export const accessTokenRefused = (message: string) =>
  unauthorized({
    detail: 'Given token not valid for any token type',
    code: 'token_not_valid',
    messages: [{ token_class: 'AccessToken', token_type: 'access', message }],
  })

export const tokenInvalid = 'Token is invalid or expired'
export const tokenWrongType = 'Token has wrong type'
const retryAfterSeconds = '1'

const domainAnswers: Record<DomainErrorCode, (error: DomainError) => Answer> = {
  no_active_account: () => unauthorized({ detail: 'No active account found with the given credentials' }),
  account_gone: () => unauthorized({ detail: 'User not found', code: 'user_not_found' }),
  token_invalid: () => unauthorized({ detail: tokenInvalid, code: 'token_not_valid' }),
  token_wrong_type: () => unauthorized({ detail: tokenWrongType, code: 'token_not_valid' }),
  session_ended: () => accessTokenRefused(tokenInvalid),
  session_unknown: notFound,
  reset_token_invalid: notFound,
  email_token_invalid: notFound,
  email_unknown: () => invalidFields([{ field: 'email', message: emailUnknown }]),
  not_owner: () => unauthorized({ detail: 'Unauthorized.' }),
  key_reused: () => json(422, { detail: keyReused }),
  revision_moved: () => json(412, { detail: revisionMoved }),
  invalid_fields: error => invalidFields(error.problems.map(fieldError)),
}

const keyReused = 'This Idempotency-Key was used with another request.'
const revisionMoved = 'The profile is not as expected by If-Match or If-None-Match any more.'
const emailUnknown =
  "We couldn't find an account associated with that email. Please try a different e-mail address."

const problemMessages: Record<FieldProblem['code'], string> = {
  username_taken: 'A user with that username already exists.',
  email_taken: 'A user with that email address already exists.',
  password_wrong: 'Wrong password.',
  password_too_short: 'This password is too short. It must contain at least 8 characters.',
  password_too_long: 'Ensure this field has no more than 128 characters.',
  password_too_common: 'This password is too common.',
  password_entirely_numeric: 'This password is entirely numeric.',
  password_too_similar: 'The password is too similar to the',
}

/** What the domain found wrong with a field, in the words of the API. */
export function fieldError(problem: FieldProblem): FieldError {
  const message = problemMessages[problem.code]
  const similarTo = 'similarTo' in problem ? problem.similarTo : undefined
  return { field: problem.field, message: similarTo === undefined ? message : `${message} ${similarTo}.` }
}

/** The answer to an error. Null: it is none that a request may meet, but a fault of our own. */
export function answerTo(error: unknown): Answer | null {
  if (error instanceof Refusal) return error.answer
  if (error instanceof DomainError) return domainAnswers[error.code](error)
  if (error instanceof Throttled) return throttled(error)
  const worthTryingAgain =
    error instanceof StoreUnavailable || error instanceof Overloaded || error instanceof RevisionConflict
  if (!worthTryingAgain) return null
  return json(503, { detail: 'Service temporarily unavailable.' }, 'Retry-After', retryAfterSeconds)
}

const throttled = ({ standing }: Throttled) =>
  json(429, { detail: 'Request was throttled.' }, 'Retry-After', String(standing.resetSeconds))

export const internalError = () => json(500, { detail: 'Internal server error.' })
