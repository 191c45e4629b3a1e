import { z } from 'zod'
import { credentialPaths } from './openapi-credentials.ts'
import { atParameter, historyPaths } from './openapi-history.ts'
import {
  always,
  answer,
  anyone,
  bodySchemas,
  command,
  done,
  ifTag,
  invalid,
  limited,
  limitedBody,
  maybeSomebody,
  moved,
  noContent,
  operation,
  owner,
  page,
  parameter,
  pending,
  refused,
  schema,
  tagged,
  takes,
  unknown,
  username,
  withBody,
} from './openapi-parts.ts'
import { answerSchemas } from './openapi-schemas.ts'
import { sessionPaths } from './openapi-sessions.ts'
import { defaultLimits, type SearchEnvelope } from './search.ts'

function paths(envelope: SearchEnvelope) {
  const cards = { type: 'array', items: schema('Card') }
  const found =
    envelope === 'none' ? cards : { type: 'object', properties: { results: cards }, required: ['results'] }
  const edit = (id: string, summary: string, headers = {}) =>
    command({
      ...{ id, summary, ...owner, ...takes('EditProfileBody') },
      parameters: ifTag,
      answers: {
        200: answer('The whole profile.', schema('OwnProfile'), { ...headers, ...pending }),
        400: invalid,
        401: refused,
        ...moved,
        ...limitedBody,
      },
    })
  return {
    '/api/user/create/': {
      post: command({
        ...{ id: 'register', summary: 'Register a user', ...anyone, ...takes('RegisterBody') },
        answers: {
          201: answer('Registered.', schema('Registered'), {
            Location: { description: 'The path of the profile.', schema: { type: 'string' } },
            ...pending,
          }),
          400: invalid,
          ...limitedBody,
        },
      }),
    },
    '/api/token/obtain/': {
      post: command({
        ...{ id: 'obtainTokens', summary: 'Log in', ...anyone, ...takes('LoginBody') },
        answers: {
          200: answer('Logged in.', schema('TokenPair')),
          400: invalid,
          401: refused,
          ...limitedBody,
        },
      }),
    },
    '/api/token/refresh/': {
      post: command({
        ...{
          id: 'refreshTokens',
          summary: 'Get the next tokens of a session',
          ...anyone,
          ...takes('RefreshBody'),
        },
        answers: {
          200: answer('The next tokens.', schema('TokenPair')),
          400: invalid,
          401: refused,
          ...withBody,
        },
      }),
    },
    ...sessionPaths,
    '/api/password/reset/': {
      post: command({
        ...{
          id: 'requestReset',
          summary: 'Have a password reset token mailed',
          ...anyone,
          ...takes('RequestResetBody'),
        },
        answers: { 200: done, 400: invalid, ...limitedBody },
      }),
    },
    '/api/password/reset/confirm/': {
      post: command({
        ...{
          id: 'confirmReset',
          summary: 'Set a new password by a token',
          ...anyone,
          ...takes('ConfirmResetBody'),
        },
        answers: { 200: done, 400: invalid, 404: unknown, ...withBody },
      }),
    },
    '/api/password/reset/validate_token/': {
      post: operation({
        ...{
          id: 'validateResetToken',
          summary: 'Ask whether a token can be used',
          ...anyone,
          ...takes('ValidateResetBody'),
        },
        answers: { 200: done, 400: invalid, 404: unknown, ...withBody },
      }),
    },
    ...credentialPaths,
    '/api/users/': {
      get: operation({
        ...{ id: 'searchProfiles', summary: 'Search users by name', ...maybeSomebody },
        parameters: [
          parameter('query', 'What the username contains; everyone if it is empty.', { type: 'string' }),
          page.limit(defaultLimits[envelope]),
          page.cursor,
        ],
        answers: {
          200: answer(
            'The users found: the exact match, names that begin with it, the rest.',
            found,
            page.link,
          ),
          400: invalid,
          401: refused,
          ...limited,
          ...always,
        },
      }),
    },
    '/api/users/{username}/': {
      parameters: [username],
      get: operation({
        ...{ id: 'viewProfile', summary: 'View a profile', ...maybeSomebody },
        parameters: [atParameter, ...ifTag],
        answers: {
          400: invalid,
          200: answer(
            'The profile: whole for its owner, a card if it is private.',
            { anyOf: [schema('OwnProfile'), schema('Profile'), schema('Card')] },
            tagged,
          ),
          304: noContent('It is as If-None-Match says.', tagged),
          ...moved,
          401: refused,
          404: unknown,
          ...always,
        },
      }),
      put: edit('editProfile', 'Change the fields sent'),
      patch: edit('patchProfile', 'Change the fields sent, like PUT', tagged),
      delete: command({
        ...{
          id: 'eraseUser',
          summary: 'Have the account and all that is known of it erased',
          ...owner,
          ...takes('EraseBody'),
        },
        parameters: ifTag,
        answers: {
          ...moved,
          204: noContent('Erased. The username cannot be taken for 30 days, the address at once.', pending),
          400: invalid,
          401: refused,
          ...limitedBody,
        },
      }),
    },
    ...historyPaths,
    '/.well-known/jwks.json': {
      get: operation({
        ...{ id: 'publicKeys', summary: 'Get the keys by which access tokens can be verified', ...anyone },
        answers: { 200: answer('A JWK set, empty if a shared secret signs them.', schema('JwkSet')) },
      }),
    },
    '/healthz': {
      get: operation({
        ...{ id: 'health', summary: 'Ask whether the process is up', ...anyone },
        answers: { 200: answer('It is.', schema('Health')) },
      }),
    },
  }
}

/** The description of the whole API in OpenAPI 3.1, made of the schemas that check what is sent. */
export function openApiDocument(envelope: SearchEnvelope) {
  const detail = (description: string, headers = {}) => answer(description, schema('Error'), headers)
  const count = { schema: { type: 'integer' } }
  const rateLimit = {
    'RateLimit-Policy': { schema: { type: 'string' } },
    'RateLimit-Limit': count,
    'RateLimit-Remaining': count,
    'RateLimit-Reset': count,
  }
  const retryAfter = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Roster',
      version: '0.1.0',
      description: 'Registration, login, password reset by mail, profiles and username search.',
    },
    paths: paths(envelope),
    components: {
      schemas: Object.fromEntries(
        Object.entries({ ...bodySchemas, ...answerSchemas }).map(([name, described]) => [
          name,
          describe(described),
        ]),
      ),
      headers: {
        ETag: {
          description:
            'For the owner it changes with every revision of the account, for everybody else with what is shown to them, for both with the version of the read model. `If-Match` of an edit or erasure takes that of the owner alone.',
          schema: { type: 'string' },
        },
        RequestId: {
          description: "The caller's id for the request, or a new one.",
          schema: { type: 'string' },
        },
        Visible: {
          description: 'Given if reads do not show yet what was written.',
          schema: { type: 'string', const: 'pending' },
        },
      },
      parameters: {
        IfMatch: {
          ...{ name: 'If-Match', in: 'header', schema: { type: 'string' } },
          description: 'Tags of which the profile must have one, or `*`.',
        },
        IfNoneMatch: {
          ...{ name: 'If-None-Match', in: 'header', schema: { type: 'string' } },
          description: 'Tags of which the profile must have none.',
        },
        IdempotencyKey: {
          ...{ name: 'Idempotency-Key', in: 'header', schema: { type: 'string', maxLength: 257 } },
          description:
            'A string in quotes, such as a UUID, that is new for each command: a repetition with the same key is ' +
            'answered as the first one was, and does nothing.',
        },
      },
      responses: {
        Moved: detail('The profile is not as If-Match or If-None-Match says.'),
        KeyReused: detail('The Idempotency-Key was used with another request.'),
        TooLarge: detail('The body has more than 64 KiB.'),
        WrongType: detail('The body is neither JSON nor a form.'),
        Throttled: detail('Too many requests.', { ...retryAfter, ...rateLimit }),
        Unavailable: detail('Something that is needed is down or overloaded.', retryAfter),
      },
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function describe(described: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(described, { io: 'input' })
  return rest
}
