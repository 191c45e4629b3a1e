import { z } from 'zod'

/** What the API answers with. The bodies it takes are described by the schemas that check them. */

const texts = {
  first_name: z.string(),
  last_name: z.string(),
  bio: z.string(),
  fav_sport_1: z.string(),
  fav_sport_2: z.string(),
  fav_sport_3: z.string(),
  location: z.string(),
}
const card = { id: z.int(), username: z.string(), avatar: z.string(), privacy: z.boolean() }

const value = z.union([z.string(), z.int(), z.boolean(), z.null()])

export const answerSchemas = {
  Registered: z.object({ email: z.string(), username: z.string() }),
  TokenPair: z.object({ access: z.string(), refresh: z.string() }),
  Nothing: z.object({}),
  Sessions: z.array(
    z.object({
      id: z.uuid(),
      device: z.string(),
      address_range: z.string(),
      started: z.iso.datetime(),
      last_used: z.iso.datetime(),
      current: z.boolean(),
    }),
  ),
  History: z.array(
    z.object({
      revision: z.int(),
      time: z.iso.datetime(),
      type: z.string(),
      actor: z.union([z.int(), z.enum(['operator', 'system', 'another user'])]),
      changes: z.array(z.object({ field: z.string(), from: value, to: value })),
    }),
  ),
  Done: z.object({ status: z.literal('OK') }),
  OwnProfile: z.object({ ...card, email: z.string(), ...texts }),
  Export: z.object({
    exported: z.iso.datetime(),
    registered: z.iso.datetime(),
    profile: z.object({ ...card, email: z.string(), ...texts }),
    email_proved: z.boolean(),
    pending_email_change: z
      .object({ email: z.string(), requested: z.iso.datetime(), expires: z.iso.datetime() })
      .nullable(),
    names: z.array(
      z.object({
        kind: z.enum(['username', 'email']),
        name: z.string(),
        claimed: z.iso.datetime().nullable(),
      }),
    ),
    sessions: z.array(
      z.object({
        id: z.uuid(),
        device: z.string(),
        address_range: z.string(),
        started: z.iso.datetime(),
        last_used: z.iso.datetime(),
        expires: z.iso.datetime(),
        ended: z.iso.datetime().nullable(),
      }),
    ),
    events: z.array(
      z.object({
        revision: z.int(),
        type: z.string(),
        time: z.iso.datetime(),
        actor: z.union([z.int(), z.enum(['operator', 'system'])]),
        request_id: z.string(),
        data: z.looseObject({}),
      }),
    ),
  }),
  Profile: z.object({ ...card, ...texts }),
  Card: z.object(card),
  Error: z.object({ detail: z.string() }),
  TokenError: z.object({
    detail: z.string(),
    code: z.enum(['token_not_valid', 'bad_authorization_header', 'user_not_found']).optional(),
    messages: z
      .array(z.object({ token_class: z.string(), token_type: z.string(), message: z.string() }))
      .optional(),
  }),
  FieldErrors: z
    .record(z.string(), z.array(z.string()))
    .meta({ description: 'Each field with all that is wrong with it.' }),
  JwkSet: z.object({
    keys: z.array(
      z.looseObject({
        kid: z.string(),
        kty: z.enum(['EC', 'RSA']),
        alg: z.enum(['ES256', 'RS256']),
        use: z.literal('sig'),
      }),
    ),
  }),
  Health: z.object({ status: z.literal('ok') }),
}

export type AnswerName = keyof typeof answerSchemas
