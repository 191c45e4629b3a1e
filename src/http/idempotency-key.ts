import type { IncomingMessage } from 'node:http'
import { Refusal, unreadable } from './errors.ts'

const longestKey = 255

/** What an RFC 8941 string has between its quotes, at least one character of it; and what needs none. */
const quoted = /^"((?:[ !#-[\]-~]|\\["\\])+)"$/
const bare = /^[\w.~:+/=-]+$/

/**
 * The key of the header `Idempotency-Key`, a string in quotes as the draft has it, or the same without, as many clients
 * send it; undefined if there is none. Throws Refusal (400) for anything else.
 */
export function idempotencyKeyOf({ headers }: IncomingMessage): string | undefined {
  const header = headers['idempotency-key']
  if (header === undefined) return undefined
  const text = String(header).trim()
  const key = quoted.exec(text)?.[1]?.replace(/\\(["\\])/g, '$1') ?? bare.exec(text)?.[0]
  if (key !== undefined && key.length <= longestKey) return key
  throw new Refusal(
    unreadable(`Idempotency-Key must be a string of 1 to ${longestKey} characters in quotes.`),
  )
}
