import {
  always,
  answer,
  anyone,
  command,
  invalid,
  limited,
  noContent,
  operation,
  owner,
  pending,
  refused,
  schema,
  takes,
  unknown,
  withBody,
} from './openapi-parts.ts'

/** The routes about a user's sessions. */
export const sessionPaths = {
  '/api/token/revoke/': {
    post: command({
      ...{ id: 'revokeToken', summary: 'Log out', ...anyone, ...takes('RevokeBody') },
      answers: {
        200: answer(
          'The session of the token is over, as it may have been before.',
          schema('Nothing'),
          pending,
        ),
        400: invalid,
        401: refused,
        ...withBody,
      },
    }),
  },
  '/api/sessions/': {
    get: operation({
      ...{ id: 'listSessions', summary: 'See where one is logged in', ...owner },
      answers: {
        200: answer('The sessions that go on, the one used last first.', schema('Sessions')),
        401: refused,
        ...always,
      },
    }),
    delete: command({
      ...{ id: 'endOtherSessions', summary: 'Log out everywhere else', ...owner },
      answers: {
        204: noContent('All sessions but this one are over.'),
        401: refused,
        ...limited,
        ...always,
      },
    }),
  },
  '/api/sessions/{id}/': {
    parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
    delete: command({
      ...{ id: 'endSession', summary: 'End one session', ...owner },
      answers: {
        204: noContent('The session is over.', pending),
        401: refused,
        404: unknown,
        ...limited,
        ...always,
      },
    }),
  },
}
