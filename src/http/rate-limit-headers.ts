import { left, type Standing } from '../limits/limiter.ts'

/**
 * How a limit stands, as draft-ietf-httpapi-ratelimit-headers-06 has it, names and values in turn. Later drafts put all of
 * it into one structured field, which hardly any client reads.
 */
export function rateLimitHeaders(standing: Standing): string[] {
  const { rule, resetSeconds } = standing
  return [
    ...['RateLimit-Policy', `${rule.points};w=${rule.seconds}`],
    ...['RateLimit-Limit', String(rule.points)],
    ...['RateLimit-Remaining', String(left(standing))],
    ...['RateLimit-Reset', String(resetSeconds)],
  ]
}
