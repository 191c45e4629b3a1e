import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto'

/** What a reset token says of itself; nothing of it is to be believed before `isResetToken` has said yes. */
export type ParsedResetToken = { userId: number; resetId: string; mac: string }

export type ResetTokens = ReturnType<typeof createResetTokens>

const shape = /^([1-9]\d{0,15})\.([\w-]{1,64})\.([\w-]{43})$/

/**
 * Tokens `<user id>.<reset id>.<HMAC>` in URL-safe characters. The HMAC covers purpose, ids and expiry; the expiry
 * itself is in the event that asked for the reset, as ISO 8601. Nothing secret is stored anywhere.
 */
export function createResetTokens(secret: Buffer) {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'roster password reset', 32)))

  function mac(reset: { userId: number; resetId: string }, expiresAt: string): string {
    const covered = `password reset ${reset.userId} ${reset.resetId} ${expiresAt}`
    return createHmac('sha256', key).update(covered).digest('base64url')
  }

  return {
    /** The same for the same reset. */
    resetToken(reset: { userId: number; resetId: string; expiresAt: string }): string {
      return `${reset.userId}.${reset.resetId}.${mac(reset, reset.expiresAt)}`
    },

    /** The parts of a text that looks like a reset token, null if it does not. */
    parseResetToken(token: string): ParsedResetToken | null {
      const [, userId, resetId, mac] = shape.exec(token) ?? []
      if (userId === undefined || resetId === undefined || mac === undefined) return null
      return Number.isSafeInteger(Number(userId)) ? { userId: Number(userId), resetId, mac } : null
    },

    /** Whether we made the token for a reset that ends then; in constant time. Whether that is over is not asked. */
    isResetToken(token: ParsedResetToken, expiresAt: string): boolean {
      const expected = Buffer.from(mac(token, expiresAt))
      const given = Buffer.from(token.mac)
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
  }
}
