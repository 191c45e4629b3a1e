import { z } from 'zod'
import { parseRules, type Rules } from './limits/rules.ts'

const roles = ['api', 'projector', 'mailer'] as const
export type Role = (typeof roles)[number]

const wholeNumber = (fallback: number, minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, 'expected a whole number')
    .transform(Number)
    .refine(n => n >= minimum && n <= maximum, `expected ${minimum} to ${maximum}`)
    .default(fallback)
const port = (fallback: number) => wholeNumber(fallback, 0, 65_535)
const onOff = (fallback: boolean) =>
  z
    .enum(['on', 'off'], 'expected on or off')
    .transform(value => value === 'on')
    .default(fallback)
const url = (...protocols: string[]) =>
  z
    .string()
    .refine(
      value => protocols.some(protocol => value.startsWith(`${protocol}://`)),
      `expected a URL that begins with ${protocols.map(protocol => `${protocol}://`).join(' or ')}`,
    )
    .optional()
const urlWithToken = z
  .string()
  .refine(value => value.includes('{token}'), 'expected a URL with {token} in it')
  .optional()
function rules(setting: string, context: z.RefinementCtx): Rules {
  try {
    return parseRules(setting)
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    return z.NEVER
  }
}
const commaSeparated = (text: string) =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')

const environment = z.object({
  PORT: port(8000),
  HOST: z.string().default('127.0.0.1'),
  OPS_PORT: port(8001).optional(),
  OPS_HOST: z.string().default('127.0.0.1'),
  ROLES: z
    .string()
    .default(roles.join(','))
    .transform(commaSeparated)
    .pipe(
      z.array(z.enum(roles, `expected some of ${roles.join(', ')}`)).min(1, 'expected at least one role'),
    ),
  DATA_DIR: z.string().default('./data'),
  EVENTSTORE_URL: url('esdb', 'esdb+discover'),
  MONGODB_URL: url('mongodb', 'mongodb+srv'),
  STREAM_PREFIX: z.string().default(''),
  SMTP_URL: url('smtp', 'smtps'),
  MAIL_FROM: z.string().default('Roster <roster@localhost>'),
  RESET_URL: urlWithToken,
  EMAIL_URL: urlWithToken,
  JWT_SECRET: z
    .string()
    .refine(secret => Buffer.byteLength(secret) >= 32, 'expected at least 32 bytes')
    .optional(),
  JWT_KEYS: z.string().optional(),
  ACCESS_TOKEN_TTL_SECONDS: wholeNumber(300, 1),
  REFRESH_TOKEN_TTL_SECONDS: wholeNumber(1_209_600, 1),
  RESET_TOKEN_TTL_SECONDS: wholeNumber(86_400, 1),
  EMAIL_TOKEN_TTL_SECONDS: wholeNumber(86_400, 1),
  REFRESH_GRACE_SECONDS: wholeNumber(30, 0),
  SESSION_HISTORY_DAYS: wholeNumber(400, 0, 100_000),
  ARGON2_MEMORY_KIB: wholeNumber(19_456, 8, 4_194_304),
  ARGON2_TIME_COST: wholeNumber(2, 1, 1000),
  ARGON2_PARALLELISM: wholeNumber(1, 1, 64),
  HASH_QUEUE_LIMIT: wholeNumber(64, 0),
  ID_BLOCK_SIZE: wholeNumber(20, 1, 1_000_000),
  PROJECTOR_PARTITIONS: wholeNumber(4, 1, 256),
  READ_YOUR_WRITES_TIMEOUT_MS: wholeNumber(1000, 0),
  COMMAND_TIMEOUT_MS: wholeNumber(5000, 1),
  READY_MAX_LAG_SECONDS: wholeNumber(10, 0),
  RATE_LIMITS: z.string().default('on').transform(rules),
  HIDE_UNKNOWN_EMAILS: onOff(false),
  SEARCH_ENVELOPE: z.enum(['none', 'results'], 'expected none or results').default('none'),
  CORS_ORIGINS: z.string().default('*').transform(commaSeparated),
  TRUST_PROXY: onOff(false),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'expected fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
})

export type Config = {
  port: number
  host: string
  /** `set`: by hand, so that a busy port is an error rather than a warning. */
  ops: { port: number; host: string; set: boolean }
  roles: readonly Role[]
  dataDir: string
  eventstoreUrl: string | null
  mongodbUrl: string | null
  streamPrefix: string
  mail: { smtpUrl: string | null; from: string; resetUrl: string | null; emailUrl: string | null }
  /** Null: generated into `dataDir` at the first start. */
  jwtSecret: string | null
  /** The file with the keys that sign tokens, a JWK set; null: the secret signs them. */
  jwtKeys: string | null
  accessTokenTtlSeconds: number
  refreshTokenTtlSeconds: number
  resetTokenTtlSeconds: number
  emailTokenTtlSeconds: number
  refreshGraceSeconds: number
  sessionHistoryDays: number
  argon2: { memoryKiB: number; timeCost: number; parallelism: number }
  hashQueueLimit: number
  idBlockSize: number
  projectorPartitions: number
  readYourWritesTimeoutMs: number
  commandTimeoutMs: number
  readyMaxLagSeconds: number
  rateLimits: Rules
  hideUnknownEmails: boolean
  searchEnvelope: 'none' | 'results'
  corsOrigins: readonly string[]
  trustProxy: boolean
  logLevel: string
}

/** Names every variable that is wrong, with what was found and what was expected; secrets are not repeated. */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig'
}

/** Reads and checks the whole environment; an empty variable counts as unset. Throws InvalidConfig. */
export function readConfig(variables: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  const parsed = environment.safeParse(given)
  const problems = parsed.success ? [] : parsed.error.issues.map(issue => describe(issue, given))
  if (given.EVENTSTORE_URL !== undefined && given.JWT_SECRET === undefined) {
    problems.push('JWT_SECRET: expected a secret that all processes share with EVENTSTORE_URL, found none')
  }
  if (!parsed.success || problems.length > 0) throw new InvalidConfig(problems.join('; '))
  const env = parsed.data
  return {
    port: env.PORT,
    host: env.HOST,
    ops: { port: env.OPS_PORT ?? 8001, host: env.OPS_HOST, set: given.OPS_PORT !== undefined },
    roles: env.ROLES,
    dataDir: env.DATA_DIR,
    eventstoreUrl: env.EVENTSTORE_URL ?? null,
    mongodbUrl: env.MONGODB_URL ?? null,
    streamPrefix: env.STREAM_PREFIX,
    mail: {
      smtpUrl: env.SMTP_URL ?? null,
      from: env.MAIL_FROM,
      resetUrl: env.RESET_URL ?? null,
      emailUrl: env.EMAIL_URL ?? null,
    },
    jwtSecret: env.JWT_SECRET ?? null,
    jwtKeys: env.JWT_KEYS ?? null,
    accessTokenTtlSeconds: env.ACCESS_TOKEN_TTL_SECONDS,
    refreshTokenTtlSeconds: env.REFRESH_TOKEN_TTL_SECONDS,
    resetTokenTtlSeconds: env.RESET_TOKEN_TTL_SECONDS,
    emailTokenTtlSeconds: env.EMAIL_TOKEN_TTL_SECONDS,
    refreshGraceSeconds: env.REFRESH_GRACE_SECONDS,
    sessionHistoryDays: env.SESSION_HISTORY_DAYS,
    argon2: {
      memoryKiB: env.ARGON2_MEMORY_KIB,
      timeCost: env.ARGON2_TIME_COST,
      parallelism: env.ARGON2_PARALLELISM,
    },
    hashQueueLimit: env.HASH_QUEUE_LIMIT,
    idBlockSize: env.ID_BLOCK_SIZE,
    projectorPartitions: env.PROJECTOR_PARTITIONS,
    readYourWritesTimeoutMs: env.READ_YOUR_WRITES_TIMEOUT_MS,
    commandTimeoutMs: env.COMMAND_TIMEOUT_MS,
    readyMaxLagSeconds: env.READY_MAX_LAG_SECONDS,
    rateLimits: env.RATE_LIMITS,
    hideUnknownEmails: env.HIDE_UNKNOWN_EMAILS,
    searchEnvelope: env.SEARCH_ENVELOPE,
    corsOrigins: env.CORS_ORIGINS,
    trustProxy: env.TRUST_PROXY,
    logLevel: env.LOG_LEVEL,
  }
}

const secret = new Set(['JWT_SECRET', 'EVENTSTORE_URL', 'MONGODB_URL', 'SMTP_URL'])

function describe(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  const name = String(issue.path[0])
  const found = secret.has(name) ? 'another value' : JSON.stringify(given[name])
  return `${name}: ${issue.message}, found ${found}`
}
