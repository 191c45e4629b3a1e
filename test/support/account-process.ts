import { accountStream, accounts } from '../../src/account/aggregates.ts'
import { createClaims } from '../../src/account/claims.ts'
import { createAccounts } from '../../src/account/create-accounts.ts'
import { createHandler } from '../../src/account/handle.ts'
import { createPasswordHasher } from '../../src/account/password-hashing.ts'
import { createTokens } from '../../src/account/tokens.ts'
import { createUserIds } from '../../src/account/user-ids.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'

/** The moment at which all of them live. */
export const processNow = Date.UTC(2026, 0, 1)
export const tokens = createTokens({ secret: Buffer.alloc(32, 1) })
const hasher = createPasswordHasher({ memoryKiB: 64, timeCost: 1, parallelism: 1, queueLimit: 1000 })

/** The write side of one process, with nothing in its memory. */
export function process(
  store: EventStore,
  time?: Parameters<typeof createClaims>[0]['time'],
  { hideUnknownEmails = false } = {},
) {
  const now = () => processNow
  const handler = createHandler({ store, now, cachedStreams: 100 })
  const claims = createClaims({
    store,
    handler,
    now,
    namesKey: Buffer.alloc(32, 7),
    ...(time ? { time } : {}),
  })
  const side = {
    ...{ store, handler, claims, hasher, tokens, now },
    nextUserId: createUserIds({ store, handler, blockSize: 2 }),
    waitUntilVisible: async () => true,
    waitUntilSessionVisible: async () => true,
    warn: (error: unknown) => {
      throw error
    },
    settings: {
      ...{ accessTokenTtlSeconds: 300, refreshTokenTtlSeconds: 86_400, refreshGraceSeconds: 30 },
      ...{ resetTokenTtlSeconds: 86_400, emailTokenTtlSeconds: 86_400, hideUnknownEmails },
    },
  }
  return {
    ...createAccounts(side),
    load: (userId: number) => handler.load(accounts, accountStream(userId), Infinity),
  }
}
