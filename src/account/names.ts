import { createHmac } from 'node:crypto'
import { domainToASCII } from 'node:url'

declare const brand: unique symbol
/** A username as it is compared, searched and claimed; never shown. */
export type UsernameKey = string & { readonly [brand]: 'UsernameKey' }
/** An e-mail address as it is compared and claimed; mail goes to the address as typed. */
export type EmailKey = string & { readonly [brand]: 'EmailKey' }

/**
 * The key under which a username is unique and searched, whatever its letter case and Unicode form: `Straẞe` and
 * `straße` have one key, so have `izmir` and `İzmir`; that of `ΟΔΟΣ` is found in that of `ΟΔΟΣΑ`. The key of a key
 * is the key.
 */
export function usernameKey(username: string): UsernameKey
export function usernameKey(username: string): string {
  // Most names are plain, and for those all of the below does no more, at a multiple of the time.
  if (/^[\x21-\x7e]*$/.test(username)) return username.toLowerCase()
  return (
    username
      .normalize('NFKC')
      .toLowerCase()
      .toUpperCase()
      .toLowerCase()
      .normalize('NFKC')
      .replaceAll('ς', 'σ')
      .replace(/i\u0307+/g, 'i')
      // Once more: without its dot an i can take the mark that came after the dot.
      .normalize('NFKC')
  )
}

const usernameShape = /^[\p{L}\p{Nd}_][\p{L}\p{M}\p{Nd}_]{0,149}$/u
const entirelyNumeric = /^\p{Nd}+$/u

/**
 * Whether a username has only letters, numbers and underscores and is not entirely numeric, as typed and in NFKC.
 * False for more than 150 code points as well: who has a message of its own for those looks at that first.
 */
export function isValidUsername(username: string): boolean {
  const normalized = username.normalize('NFKC')
  return usernameShape.test(username) && usernameShape.test(normalized) && !entirelyNumeric.test(normalized)
}

/**
 * The key under which an address is unique: lower case, the domain in ASCII by UTS 46 if it has such a form. The
 * key of a key is the key.
 */
export function emailKey(address: string): EmailKey
export function emailKey(address: string): string {
  const at = address.lastIndexOf('@') + 1
  const domain = address.slice(at)
  const lowerCased = domain.toLowerCase()
  return address.slice(0, at).toLowerCase() + (asciiDomain(domain) || asciiDomain(lowerCased) || lowerCased)
}

/** The domain in ASCII and lower case, or '' if it has no such form. */
function asciiDomain(domain: string): string {
  // The URL parser behind domainToASCII would also read ports, paths and percent signs …
  if (!/^[a-z0-9.\u0080-\u{10ffff}-]+$/iu.test(domain)) return ''
  // … and take 127.10 for the address 127.0.0.10, unless something follows.
  return domainToASCII(`${domain}.x`).slice(0, -'.x'.length)
}

/**
 * The stream in which a name is claimed. The digest is an HMAC under the log's own key, so a stream's name tells
 * nothing about the name to whoever has not got that key.
 */
export function claimStream(kind: 'username' | 'email', key: UsernameKey | EmailKey, namesKey: Buffer): string
export function claimStream(kind: 'registration', key: string, namesKey: Buffer): string
export function claimStream(kind: string, key: string, namesKey: Buffer): string {
  return `${kind}-${createHmac('sha256', namesKey).update(`${kind}:${key}`).digest('base64url')}`
}
