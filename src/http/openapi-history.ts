import {
  always,
  answer,
  invalid,
  operation,
  owner,
  page,
  parameter,
  refused,
  schema,
  username,
} from './openapi-parts.ts'
import { usualPage } from './page-limit.ts'

export const atParameter = parameter('at', 'The profile as it was then, for its owner alone.', {
  ...{ type: 'string', format: 'date-time' },
})

export const historyPaths = {
  '/api/users/{username}/export/': {
    parameters: [username],
    get: operation({
      ...{ id: 'exportUser', summary: 'Get all that is known of the account, as a file', ...owner },
      answers: {
        200: answer('All that is known, but hashes of passwords.', schema('Export'), {
          'Content-Disposition': { description: 'The name of the file.', schema: { type: 'string' } },
        }),
        401: refused,
        ...always,
      },
    }),
  },
  '/api/users/{username}/history/': {
    parameters: [username],
    get: operation({
      ...{ id: 'accountHistory', summary: 'See what happened to the account, the newest first', ...owner },
      parameters: [page.limit(usualPage), page.cursor],
      answers: {
        200: answer('What happened, and which fields it changed.', schema('History'), page.link),
        400: invalid,
        401: refused,
        ...always,
      },
    }),
  },
}
