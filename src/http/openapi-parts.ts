import { changeEmailBody, confirmEmailBody } from './email-change.ts'
import { eraseBody } from './erasure.ts'
import type { AnswerName } from './openapi-schemas.ts'
import { largestPage } from './page-limit.ts'
import { changePasswordBody } from './password-change.ts'
import { confirmResetBody, requestResetBody, validateResetBody } from './password-reset.ts'
import { editProfileBody } from './profile.ts'
import { registerBody } from './register.ts'
import { obtainBody, refreshBody, revokeBody } from './tokens.ts'

export const bodySchemas = {
  RegisterBody: registerBody,
  LoginBody: obtainBody,
  RefreshBody: refreshBody,
  RevokeBody: revokeBody,
  RequestResetBody: requestResetBody,
  ChangePasswordBody: changePasswordBody,
  ChangeEmailBody: changeEmailBody,
  ConfirmEmailBody: confirmEmailBody,
  ConfirmResetBody: confirmResetBody,
  ValidateResetBody: validateResetBody,
  EditProfileBody: editProfileBody,
  EraseBody: eraseBody,
}

type Answers = Record<number, object>
type Operation = {
  id: string
  summary: string
  answers: Answers
  parameters?: object[]
  [more: string]: unknown
}

export const reference = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` })
export const schema = (name: AnswerName | keyof typeof bodySchemas) => reference('schemas', name)
const jsonContent = (content: object) => ({ content: { 'application/json': { schema: content } } })

const requestIdHeader = { 'X-Request-Id': reference('headers', 'RequestId') }
const refusedHeader = { 'WWW-Authenticate': { schema: { type: 'string', const: 'Bearer realm="api"' } } }

export function answer(description: string, content: object, headers: object = {}) {
  return { description, headers: { ...requestIdHeader, ...headers }, ...jsonContent(content) }
}

export function noContent(description: string, headers: object = {}) {
  return { description, headers: { ...requestIdHeader, ...headers } }
}

export const invalid = answer('The body is unreadable, or fields are wrong.', {
  anyOf: [schema('FieldErrors'), schema('Error')],
})
export const refused = answer('The credentials are missing or wrong.', schema('TokenError'), refusedHeader)
export const unknown = answer('There is no such thing.', schema('Error'))
export const pending = { 'Roster-Visible': reference('headers', 'Visible') }

const keyReused = reference('responses', 'KeyReused')

/** What every route may answer, and what those that take a body may. */
export const always = { 503: reference('responses', 'Unavailable') }
/** What routes with a limit may answer, and those of them that take a body. */
export const limited = { 429: reference('responses', 'Throttled') }
export const withBody = {
  413: reference('responses', 'TooLarge'),
  415: reference('responses', 'WrongType'),
  ...always,
}
export const limitedBody = { ...withBody, ...limited }

export function operation({ id, summary, answers, ...more }: Operation) {
  return { operationId: id, summary, ...more, responses: answers }
}

/** An operation that can be repeated by its key. */
export function command({ answers, parameters: more = [], ...rest }: Operation) {
  const parameters = [reference('parameters', 'IdempotencyKey'), ...more]
  return operation({ parameters, ...rest, answers: { 400: invalid, ...answers, 422: keyReused } })
}

/** Of profiles: what their tag is, and what can be made to depend on it. */
export const tagged = { ETag: reference('headers', 'ETag') }
export const ifTag = [reference('parameters', 'IfMatch'), reference('parameters', 'IfNoneMatch')]
export const moved = { 412: reference('responses', 'Moved') }

export function takes(name: keyof typeof bodySchemas) {
  const content = { schema: schema(name) }
  return {
    requestBody: { content: { 'application/json': content, 'application/x-www-form-urlencoded': content } },
  }
}

export function parameter(name: string, description: string, of: object) {
  return { name, in: 'query', description, schema: of }
}

export const username = {
  ...{ name: 'username', in: 'path', required: true, schema: { type: 'string' } },
  description: 'A username in any letter case, or an id.',
}

/** What pages of an array take and give. */
export const page = {
  limit: (usual: number) =>
    parameter('limit', 'How many at most.', {
      ...{ type: 'integer', minimum: 1, maximum: largestPage, default: usual },
    }),
  cursor: parameter('cursor', 'Where to go on, from a Link of the same query.', { type: 'string' }),
  link: { Link: { description: 'The next page, if there is one.', schema: { type: 'string' } } },
}

export const anyone = { security: [] }
export const maybeSomebody = { security: [{}, { accessToken: [] }] }
export const owner = { security: [{ accessToken: [] }] }

export const done = answer('Done.', schema('Done'))
