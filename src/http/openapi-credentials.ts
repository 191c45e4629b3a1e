import {
  answer,
  anyone,
  command,
  done,
  invalid,
  limitedBody,
  owner,
  pending,
  refused,
  schema,
  takes,
  unknown,
  withBody,
} from './openapi-parts.ts'

/** The routes by which users keep their password and address. */
export const credentialPaths = {
  '/api/password/change/': {
    post: command({
      ...{
        id: 'changePassword',
        summary: 'Change the password, which ends all other sessions',
        ...owner,
        ...takes('ChangePasswordBody'),
      },
      answers: { 200: done, 400: invalid, 401: refused, ...limitedBody },
    }),
  },
  '/api/email/change/': {
    post: command({
      ...{
        id: 'changeEmail',
        summary: 'Have a token mailed to an address that is to be the own one',
        ...owner,
        ...takes('ChangeEmailBody'),
      },
      answers: { 200: done, 400: invalid, 401: refused, ...limitedBody },
    }),
  },
  '/api/email/confirm/': {
    post: command({
      ...{
        id: 'confirmEmail',
        summary: 'Make an address the own one by the token mailed to it',
        ...anyone,
        ...takes('ConfirmEmailBody'),
      },
      answers: {
        200: answer('Done.', schema('Done'), pending),
        400: invalid,
        404: unknown,
        ...withBody,
      },
    }),
  },
}
