import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto'

/** What a mailed token says of itself; nothing of it is to be believed before `isGenuine` has said yes. */
export type ParsedMailedToken = { userId: number; id: string; mac: string }

export type MailedTokens = ReturnType<typeof createMailedTokens>

const shape = /^([1-9]\d{0,15})\.([\w-]{1,64})\.([\w-]{43})$/

/**
 * Tokens `<user id>.<id>.<HMAC>` in URL-safe characters, for one purpose. The HMAC covers purpose, ids and expiry; the
 * expiry itself is in the event with that id, as ISO 8601. Nothing secret is stored anywhere.
 */
export function createMailedTokens(secret: Buffer, purpose: 'password reset' | 'email confirmation') {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `roster ${purpose}`, 32)))

  function mac({ userId, id }: { userId: number; id: string }, expiresAt: string): string {
    return createHmac('sha256', key).update(`${purpose} ${userId} ${id} ${expiresAt}`).digest('base64url')
  }

  return {
    /** The same for the same content. */
    make(content: { userId: number; id: string; expiresAt: string }): string {
      return `${content.userId}.${content.id}.${mac(content, content.expiresAt)}`
    },

    /** The parts of a text that looks like a token, null if it does not. */
    parse(token: string): ParsedMailedToken | null {
      const [, userId, id, given] = shape.exec(token) ?? []
      if (userId === undefined || id === undefined || given === undefined) return null
      return Number.isSafeInteger(Number(userId)) ? { userId: Number(userId), id, mac: given } : null
    },

    /** Whether we made the token for what ends then; in constant time. Whether that is over is not asked. */
    isGenuine(token: ParsedMailedToken, expiresAt: string): boolean {
      const expected = Buffer.from(mac(token, expiresAt))
      const given = Buffer.from(token.mac)
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
  }
}
